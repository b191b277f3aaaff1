import type { CommandContext } from '#cloud/platform/door/command.ts'
import type { NewInboxItem } from '#cloud/platform/door/inbox.ts'
import { newId } from '#cloud/platform/id.ts'
import { defineQueue, type Jobs } from '#cloud/platform/jobs/jobs.ts'
import type { Directory } from '../directory/index.ts'
import type { Called } from '../on-call/index.ts'
import { type Answer, pageStore } from './store.ts'

/** What a page is about, as every device shows it. */
export type PageSubject = Pick<NewInboxItem, 'recordId' | 'title' | 'detail' | 'severity' | 'priority' | 'href'>

/** A page that was sent now. */
export interface SentPage {
  readonly pageId: string
  readonly personId: string
  readonly trade: string | null
}

/** What paging works with. */
export interface PageDeps {
  readonly jobs: Jobs
  readonly directory: Directory
}

/** The time of a trade's step is up. */
export const escalationQueue = defineQueue<{ recordId: string; trade: string; step: number }>('page-escalation')

/** Calls the people of each trade and sets the timer of its next step. Inside a command. */
export async function pageTrades(
  context: CommandContext,
  deps: PageDeps,
  subject: PageSubject,
  called: readonly Called[],
): Promise<SentPage[]> {
  const sent: SentPage[] = []
  const step = 1 + Math.max(0, ...(await stepsOf(context, subject.recordId)))
  for (const trade of called) {
    sent.push(...(await pagePeople(context, deps, subject, { people: trade.people, trade: trade.trade, step })))
    await startEscalation(context, deps.jobs, trade, { recordId: subject.recordId, step })
  }
  return sent
}

/** Calls people by name, without escalation. Inside a command. */
export async function pageByName(
  context: CommandContext,
  deps: PageDeps,
  subject: PageSubject,
  people: readonly string[],
): Promise<SentPage[]> {
  const step = Math.min(0, ...(await stepsOf(context, subject.recordId))) - 1
  return pagePeople(context, deps, subject, { people, trade: null, step })
}

async function stepsOf({ tx }: CommandContext, recordId: string): Promise<number[]> {
  return (await pageStore(tx).pagesOf(recordId)).map((page) => page.step)
}

/** Calls these people once for this step: inbox, stream, and the record's activity. Inside a command. */
export async function pagePeople(
  context: CommandContext,
  { directory }: PageDeps,
  subject: PageSubject,
  call: { readonly people: readonly string[]; readonly trade: string | null; readonly step: number },
): Promise<SentPage[]> {
  const sent: SentPage[] = []
  const names = await directory.refs(context.tx, call.people)
  for (const personId of call.people) {
    const name = names.get(personId)?.name ?? ''
    const page = await pagePerson(context, subject, { ...call, personId, name })
    if (page) sent.push(page)
  }
  return sent
}

async function pagePerson(
  context: CommandContext,
  subject: PageSubject,
  { personId, name, trade, step }: { personId: string; name: string; trade: string | null; step: number },
): Promise<SentPage | undefined> {
  const { org: org_id, at: sent_at } = context
  const answers = { delivered_at: null, seen_at: null, accepted_at: null, declined_at: null }
  const row = {
    id: newId(),
    org_id,
    record_id: subject.recordId,
    person_id: personId,
    trade,
    step,
    sent_at,
    ...answers,
  }
  if (!(await pageStore(context.tx).add(row))) return undefined
  await context.inbox.add({ ...subject, personId, kind: 'acknowledge', isUrgent: true, pageId: row.id })
  await context.emit({
    type: 'page.sent',
    topics: [`inbox:${personId}`, 'incidents'],
    recordId: subject.recordId,
    data: { pageId: row.id, personId, name, trade, step },
  })
  return { pageId: row.id, personId, trade }
}

async function startEscalation(
  context: CommandContext,
  jobs: Jobs,
  called: Called,
  { recordId, step }: { recordId: string; step: number },
): Promise<void> {
  const { trade } = called
  const due = { recordId, trade, step, afterMinutes: called.escalateAfterMinutes }
  await pageStore(context.tx).start({
    record_id: recordId,
    org_id: context.org,
    trade,
    first_step: step,
    step,
    after_minutes: called.escalateAfterMinutes,
    schedule_id: called.scheduleId,
    fallback_role: called.fallbackRole,
    job_id: await setTimer(context, jobs, due),
    started_at: context.at,
    ended_at: null,
    ended_by: null,
  })
}

/** Sets the timer after which the step counts as unanswered; returns the job's id. */
export function setTimer(
  context: CommandContext,
  jobs: Jobs,
  { recordId, trade, step, afterMinutes }: { recordId: string; trade: string; step: number; afterMinutes: number },
): Promise<string> {
  const when = new Date(context.at.getTime() + afterMinutes * 60_000)
  return jobs.at(context.tx, escalationQueue, { org: context.org, when, data: { recordId, trade, step } })
}

/** Notes a person's answer on their pages and takes the call off their list. Inside a command. */
export async function answerPages(
  context: CommandContext,
  recordId: string,
  personId: string,
  answers: readonly Answer[],
): Promise<void> {
  for (const answer of answers) await pageStore(context.tx).answer(recordId, personId, answer, context.at)
  await context.inbox.complete({ recordId, personId, kind: 'acknowledge' })
}

/** Ends the escalation of one trade, or of all; whoever was called and has not answered is let go. Inside a command. */
export async function endEscalation(
  context: CommandContext,
  jobs: Jobs,
  recordId: string,
  trade?: string | null,
): Promise<void> {
  const store = pageStore(context.tx)
  const running = (await store.escalations(recordId)).filter((e) => e.ended_at === null)
  for (const escalation of running.filter((e) => !trade || e.trade === trade)) {
    await store.end(recordId, escalation.trade, context.at, context.actor.id ?? 'system')
    if (escalation.job_id) await jobs.cancel(context.tx, context.org, escalation.job_id)
  }
  const pages = (await store.pagesOf(recordId)).filter((p) => !trade || p.trade === trade)
  for (const personId of new Set(pages.map((p) => p.person_id))) {
    await context.inbox.complete({ recordId, personId, kind: 'acknowledge' })
  }
}
