import { Type } from 'typebox'
import { systemActor } from '#cloud/platform/door/actor.ts'
import { type Command, type CommandContext, defineCommand } from '#cloud/platform/door/command.ts'
import { defineWorker, type JobWorker } from '#cloud/platform/jobs/jobs.ts'
import { Id } from '#shared/contracts/http.ts'
import type { Directory } from '../directory/index.ts'
import type { SuiteDeps } from '../kernel/index.ts'
import type { OnCall } from '../on-call/index.ts'
import { type NextStep, nextStep } from './escalation.ts'
import { escalationQueue, type PageSubject, pagePeople, setTimer } from './page.ts'
import { pageStore } from './store.ts'

export interface EscalationDeps extends SuiteDeps {
  readonly directory: Directory
  readonly onCall: OnCall
}

const Due = Type.Object({ recordId: Id, trade: Type.String(), step: Type.Integer() })

/** Runs when the time of a step is up: looks again whether anybody has accepted, and calls the next. */
export function escalationWorker(deps: SuiteDeps, escalate: Command<typeof Due, unknown>): JobWorker {
  return defineWorker({
    queue: escalationQueue,
    run: async (data, job) => {
      await deps.door.execute(escalate, systemActor(job.org), data)
    },
  })
}

/** Calls the next step of one trade, when its last one is still the one that was due. */
export function escalateCommand(deps: EscalationDeps) {
  return defineCommand({
    name: 'page.escalate',
    input: Due,
    resource: () => ({ type: 'page' }),
    async run(context, { recordId, trade, step }) {
      const record = await context.records.lock(recordId)
      const store = pageStore(context.tx)
      const row = (await store.escalations(recordId)).find((e) => e.trade === trade)
      const standing = row && {
        isEnded: row.ended_at !== null,
        firstStep: row.first_step,
        step: row.step,
        afterMinutes: row.after_minutes,
        fallbackRole: row.fallback_role,
      }
      const next = nextStep(standing, step)
      if (next.kind === 'none' || !standing) return { called: 0 }
      const people = await peopleOf(deps, context, trade, next)
      const subject: PageSubject = { recordId, title: record.title, href: `/incidents/${recordId}` }
      const sent = await pagePeople(context, deps, subject, { people, trade, step: next.step })
      const due = { recordId, trade, step: next.step, afterMinutes: standing.afterMinutes }
      const job = await setTimer(context, deps.jobs, due)
      await store.advance(recordId, trade, next.step, job)
      const data = { trade, step: next.step, people: sent.map((p) => p.personId) }
      await context.emit({ type: 'page.escalated', topics: [`record:${recordId}`], recordId, data })
      return { called: sent.length }
    },
  })
}

/** The backup of the moment; where there is none, the fallback role at once. */
async function peopleOf(
  { onCall, directory }: EscalationDeps,
  { tx, at }: CommandContext,
  trade: string,
  next: Exclude<NextStep, { kind: 'none' }>,
): Promise<string[]> {
  const called = await onCall.resolve(tx, trade, at)
  if (next.kind === 'backup' && called.backup) return [called.backup]
  const role = next.kind === 'role' ? next.role : called.fallbackRole
  return (await directory.withRole(tx, role)).map((person) => person.id)
}
