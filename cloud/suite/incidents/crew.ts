import type { CommandContext } from '#cloud/platform/door/command.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import { join } from '../chat/index.ts'
import type { PageSubject, SentPage } from '../notifications/index.ts'
import type { IncidentDeps } from './deps.ts'
import { type FullIncidentRow, incidentStore } from './store.ts'

/** What a page of this incident says. */
export function subjectOf(incident: FullIncidentRow, detail?: LocalizedText): PageSubject {
  return {
    recordId: incident.id,
    title: incident.title,
    ...(detail ? { detail } : {}),
    severity: incident.severity,
    priority: incident.priority,
    href: `/incidents/${incident.number ?? incident.id}`,
  }
}

/** Calls whoever is on duty for the incident's trades; nobody on duty means the fallback role. */
export async function callCrew(
  { onCall, notifications }: IncidentDeps,
  context: CommandContext,
  incident: FullIncidentRow,
): Promise<void> {
  const called = []
  for (const trade of incident.trades) called.push(await onCall.resolve(context.tx, trade, context.at))
  const pages = await notifications.pageTrades(context, subjectOf(incident), called)
  await noteCalled(context, incident, pages)
  const backups = called.flatMap((c) => c.backup ?? [])
  await join(context, incident.channel_id, backups)
}

/** Called people stand in the incident's list and in its room; the notify clock stops at the first page. */
export async function noteCalled(
  context: CommandContext,
  incident: FullIncidentRow,
  pages: readonly SentPage[],
): Promise<void> {
  const store = incidentStore(context.tx)
  for (const { personId, pageId, trade } of pages) {
    const key = { incident_id: incident.id, org_id: context.org, person_id: personId }
    await store.setResponder(key, { page_id: pageId, trade, paged_at: context.at, declined_at: null })
  }
  await join(
    context,
    incident.channel_id,
    pages.map((page) => page.personId),
  )
  if (pages.length > 0 && incident.notified_at === null) await store.set(incident.id, { notified_at: context.at })
}
