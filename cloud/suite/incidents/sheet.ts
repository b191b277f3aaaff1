import type { Tx } from '#cloud/platform/database/database.ts'
import { found } from '#cloud/platform/errors.ts'
import { chip } from '../directory/index.ts'
import { instant } from '../kernel/index.ts'
import type { IncidentDeps } from './deps.ts'
import { incidentStore } from './store.ts'
import { summariesOf } from './view.ts'

/** What the page sheet shows: the incident, who was called, and the first alarm's value. Reading it answers nothing. */
export async function pageSheet(deps: IncidentDeps, tx: Tx, pageId: string) {
  const page = found(await deps.notifications.page(tx, pageId), 'page', pageId)
  const store = incidentStore(tx)
  const row = found(await store.find(page.record_id), 'incident', page.record_id)
  const incident = found((await summariesOf(deps, tx, [row]))[0], 'incident', row.id)
  const alarms = await store.alarms([row.id])
  const first = alarms.find((alarm) => alarm.occurrence_id === row.cause_id) ?? alarms[0]
  const people = await deps.directory.refs(tx, [page.person_id])
  return {
    id: page.id,
    incident,
    person: chip(people, page.person_id) ?? { id: page.person_id, name: '—' },
    pagedAt: page.sent_at.toISOString(),
    seenAt: instant(page.seen_at),
    acceptedAt: instant(page.accepted_at),
    declinedAt: instant(page.declined_at),
    tagPath: first?.tag_path ?? null,
    value: first?.value ?? null,
    setpoint: first?.setpoint ?? null,
  }
}
