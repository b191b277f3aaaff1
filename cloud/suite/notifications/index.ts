import type { Tx } from '#cloud/platform/database/database.ts'
import type { CommandContext } from '#cloud/platform/door/command.ts'
import type { Module } from '#cloud/platform/module.ts'
import type { Directory } from '../directory/index.ts'
import type { SuiteDeps } from '../kernel/index.ts'
import type { Called, OnCall } from '../on-call/index.ts'
import { escalateCommand, escalationWorker } from './escalate.ts'
import { answerPages, endEscalation, type PageSubject, pageByName, pageTrades, type SentPage } from './page.ts'
import { type Answer, type PageRow, pageStore } from './store.ts'

export type { PageSubject, SentPage } from './page.ts'
export type { PageRow } from './store.ts'

/** Urgent calls of people, as other modules send and answer them; all inside a command. */
export interface Notifications {
  readonly module: Module
  /** Calls the people of each trade and starts its escalation. */
  pageTrades(context: CommandContext, subject: PageSubject, called: readonly Called[]): Promise<SentPage[]>
  /** Calls people by name, without escalation. */
  pagePeople(context: CommandContext, subject: PageSubject, people: readonly string[]): Promise<SentPage[]>
  answer(context: CommandContext, recordId: string, personId: string, answers: readonly Answer[]): Promise<void>
  /** Without a trade: of all. */
  endEscalation(context: CommandContext, recordId: string, trade?: string | null): Promise<void>
  /** Calls the next step of a trade now, because whoever was called cannot come. */
  escalateNow(context: CommandContext, recordId: string, trade: string): Promise<void>
  page(tx: Tx, id: string): Promise<PageRow | undefined>
}

/** Wires notifications. */
export function createNotifications(deps: SuiteDeps, directory: Directory, onCall: OnCall): Notifications {
  const escalate = escalateCommand({ ...deps, directory, onCall })
  return {
    pageTrades: (context, subject, called) => pageTrades(context, { ...deps, directory }, subject, called),
    pagePeople: (context, subject, people) => pageByName(context, { ...deps, directory }, subject, people),
    answer: answerPages,
    endEscalation: (context, recordId, trade) => endEscalation(context, deps.jobs, recordId, trade),
    async escalateNow(context, recordId, trade) {
      const due = (await pageStore(context.tx).escalations(recordId)).find((e) => e.trade === trade)
      if (due) await context.run(escalate, { recordId, trade, step: due.step })
    },
    page: (tx, id) => pageStore(tx).page(id),
    module: { name: 'notifications', workers: [escalationWorker(deps, escalate)] },
  }
}
