import type { Tx } from '#cloud/platform/database/database.ts'
import type { Actor } from '#cloud/platform/door/actor.ts'
import type { Incident, IncidentSummary, Responder } from '#shared/contracts/incident.ts'
import type { AssetTree } from '../assets/index.ts'
import { chip, type PersonRefs } from '../directory/index.ts'
import { instant } from '../kernel/index.ts'
import { readClocks } from './clocks.ts'
import type { IncidentDeps } from './deps.ts'
import { firstOutOrder } from './grouping.ts'
import { incidentOffers } from './offers.ts'
import { isUnrestored } from './state.ts'
import { type FullIncidentRow, type IncidentAlarmRow, incidentStore, type ResponderRow } from './store.ts'

/** Incidents as the list shows them, in the order given. */
export async function summariesOf(
  deps: IncidentDeps,
  tx: Tx,
  rows: readonly FullIncidentRow[],
): Promise<IncidentSummary[]> {
  const ids = rows.map((row) => row.id)
  const tree = await deps.assets.tree(tx)
  const responders = await incidentStore(tx).responders(ids)
  const people = await deps.directory.refs(
    tx,
    responders.map((r) => r.person_id),
  )
  const orders = await deps.links.workOrderNumbers(tx, ids)
  return rows.map((row) => {
    const accepted = responders.filter((r) => r.incident_id === row.id && r.accepted_at !== null)
    const acceptedBy = accepted.flatMap((r) => people.get(r.person_id) ?? [])
    return { ...headOf(row, tree), acceptedBy, workOrderNumbers: orders.get(row.id) ?? [] }
  })
}

function headOf(row: FullIncidentRow, tree: AssetTree) {
  return {
    id: row.id,
    number: row.number ?? '',
    title: row.title,
    severity: row.severity as IncidentSummary['severity'],
    priority: row.priority as IncidentSummary['priority'],
    state: row.state,
    asset: tree.ref(row.asset_id),
    assetPath: tree.path(row.asset_id),
    startedAt: row.started_at.toISOString(),
    openedAt: row.opened_at.toISOString(),
    restoredAt: instant(row.restored_at),
    closedAt: instant(row.closed_at),
    revision: row.revision,
  }
}

/** The whole incident for the room, with what this viewer may do now. */
export async function incidentView(deps: IncidentDeps, tx: Tx, actor: Actor, row: FullIncidentRow): Promise<Incident> {
  const store = incidentStore(tx)
  const [summary] = await summariesOf(deps, tx, [row])
  const responders = await store.responders([row.id])
  const alarms = firstOutOrder(
    (await store.alarms([row.id])).map((a) => ({ ...a, ...activationOf(a) })),
    row.cause_id,
  )
  const own = responders.find((r) => r.person_id === actor.id)
  return {
    ...(summary as IncidentSummary),
    causeId: row.cause_id ?? row.id,
    channelId: row.channel_id,
    clocks: await clocksOf(deps, tx, row),
    responders: responders.map(await responderView(deps, tx, responders)),
    alarms: alarms.map(alarmView),
    restore: { provenBy: row.restore_proof, waitingFor: await waitingFor(deps, tx, row) },
    trendTags: [...new Set(alarms.map((a) => a.tag_path))],
    retroId: await deps.links.retroId(tx, row.id),
    actions: incidentOffers(deps.door, actor, row, own),
  }
}

const activationOf = (row: IncidentAlarmRow) => ({ occurrenceId: row.occurrence_id, activatedAt: row.activated_at })

function alarmView(alarm: IncidentAlarmRow & { order: number; isFirstOut: boolean }): Incident['alarms'][number] {
  return {
    alarmId: alarm.alarm_id,
    occurrenceId: alarm.occurrence_id,
    name: alarm.name,
    priority: alarm.priority as Incident['priority'],
    tagPath: alarm.tag_path,
    activatedAt: alarm.activated_at.toISOString(),
    returnedAt: instant(alarm.returned_at),
    isFirstOut: alarm.isFirstOut,
    order: alarm.order,
  }
}

/** The seven clocks with the people who stopped them. */
export async function clocksOf(deps: IncidentDeps, tx: Tx, row: FullIncidentRow): Promise<Incident['clocks']> {
  const stop = (at: Date | null, by: string | null = null) => (at ? { at, by } : undefined)
  const stops = {
    detect: stop(row.detected_at),
    notify: stop(row.notified_at),
    acknowledge: stop(row.acknowledged_at, row.acknowledged_by),
    accept: stop(row.accepted_at, row.accepted_by),
    arrive: stop(row.arrived_at, row.arrived_by),
    contain: stop(row.contained_at, row.contained_by),
    restore: stop(row.restored_at, row.restored_by),
  }
  const given = Object.fromEntries(Object.entries(stops).filter(([, s]) => s !== undefined))
  const readings = readClocks({
    severity: row.severity as Incident['severity'],
    startedAt: row.started_at,
    stops: given,
    now: new Date(deps.clock()),
    isEnded: !isUnrestored(row.state),
  })
  const people = await deps.directory.refs(
    tx,
    readings.map((r) => r.by),
  )
  return readings.map((r) => ({ ...r, at: instant(r.at), by: chip(people, r.by) }))
}

async function responderView(deps: IncidentDeps, tx: Tx, rows: readonly ResponderRow[]) {
  const people: PersonRefs = await deps.directory.refs(
    tx,
    rows.map((r) => r.person_id),
  )
  return (row: ResponderRow): Responder => ({
    person: chip(people, row.person_id) ?? { id: row.person_id, name: '—' },
    trade: row.trade as Responder['trade'],
    pageId: row.page_id,
    pagedAt: instant(row.paged_at),
    deliveredAt: instant(row.delivered_at),
    seenAt: instant(row.seen_at),
    acceptedAt: instant(row.accepted_at),
    etaMinutes: row.eta_minutes,
    arrivedAt: instant(row.arrived_at),
    declinedAt: instant(row.declined_at),
  })
}

/** What the restore waits for, as a code with the asset: `running:COMP-1`, or `hand` where the machine never stood. */
async function waitingFor(deps: IncidentDeps, tx: Tx, row: FullIncidentRow): Promise<string | null> {
  if (!isUnrestored(row.state)) return null
  if (row.stopped_at === null) return 'hand'
  return `running:${(await deps.assets.tree(tx)).ref(row.asset_id).code}`
}
