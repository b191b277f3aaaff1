import type { Tx } from '#cloud/platform/database/database.ts'
import type { Retro } from '#shared/contracts/retro.ts'
import { type Assets, deviceOf } from '../assets/index.ts'
import { chip, type Directory } from '../directory/index.ts'
import { type FullIncidentRow, firstOutOrder, type IncidentAlarmRow, type Incidents } from '../incidents/index.ts'
import { instant, type SuiteDeps } from '../kernel/index.ts'
import { type FullOrderRow, ordersOf } from '../work-orders/index.ts'
import { downtimeWithin, draftSummary, trendSlice } from './draft.ts'
import type { RetroFacts } from './store.ts'

export interface RetroDeps extends SuiteDeps {
  readonly directory: Directory
  readonly assets: Assets
  readonly incidents: Incidents
}

/** Reads everything that a retro of this incident can know, from stored events alone. */
export async function gatherFacts(deps: RetroDeps, tx: Tx, incident: FullIncidentRow): Promise<RetroFacts> {
  const end = incident.restored_at ?? incident.closed_at ?? new Date(deps.clock())
  const alarms = firstOutOf(await deps.incidents.alarms(tx, incident.id), incident.cause_id)
  const clocks = await deps.incidents.clocks(tx, incident)
  const workOrders = await ordersView(deps, tx, await ordersOf(tx, [incident.id]))
  const people = await peopleView(deps, tx, incident)
  const downtimeSeconds = await downtimeOf(deps, tx, incident, end)
  const slice = trendSlice(incident.started_at, end)
  const tags = [...new Set(alarms.map((a) => a.tag_path))]
  return {
    restoredAt: instant(incident.restored_at),
    downtimeSeconds,
    clocks,
    firstOut: alarms.map((alarm) => firstOutView(alarm, incident.started_at)),
    trend: { tags, from: slice.from.toISOString(), to: slice.to.toISOString() },
    timeline: await deps.incidents.timeline(tx, incident),
    workOrders,
    people,
    similar: (await deps.incidents.similar(tx, incident)).map(similarView),
    draftSummary: draftSummary({
      number: incident.number ?? '',
      asset: (await deps.assets.tree(tx)).ref(incident.asset_id).name,
      startedAt: incident.started_at,
      restoredAt: incident.restored_at,
      restoredBy: incident.restore_proof,
      downtimeSeconds,
      alarms,
      clocks,
      people: people.map((p) => ({ name: p.person.name, acceptedAt: p.acceptedAt ? new Date(p.acceptedAt) : null })),
      workOrders,
    }),
  }
}

type Ordered = IncidentAlarmRow & { readonly order: number; readonly isFirstOut: boolean }

function firstOutOf(alarms: readonly IncidentAlarmRow[], causeId: string | null): Ordered[] {
  const activations = alarms.map((a) => ({ ...a, occurrenceId: a.occurrence_id, activatedAt: a.activated_at }))
  return firstOutOrder(activations, causeId)
}

function firstOutView(alarm: Ordered, startedAt: Date): Retro['firstOut'][number] {
  return {
    order: alarm.order,
    occurrenceId: alarm.occurrence_id,
    name: alarm.name,
    tagPath: alarm.tag_path,
    at: alarm.activated_at.toISOString(),
    offsetSeconds: (alarm.activated_at.getTime() - startedAt.getTime()) / 1000,
    value: alarm.value,
  }
}

async function ordersView(deps: RetroDeps, tx: Tx, orders: readonly FullOrderRow[]): Promise<Retro['workOrders']> {
  const people = await deps.directory.refs(
    tx,
    orders.map((o) => o.assignee_id),
  )
  return orders.map((order) => ({
    id: order.id,
    number: order.number ?? '',
    state: order.state,
    assignee: chip(people, order.assignee_id),
    failure: order.failure && { mode: order.failure.mode, cause: order.failure.cause, remedy: order.failure.remedy },
  }))
}

async function peopleView(deps: RetroDeps, tx: Tx, incident: FullIncidentRow): Promise<Retro['people']> {
  const responders = await deps.incidents.responders(tx, incident.id)
  const refs = await deps.directory.refs(
    tx,
    responders.map((r) => r.person_id),
  )
  return responders.map((r) => ({
    person: chip(refs, r.person_id) ?? { id: r.person_id, name: '—' },
    acceptedAt: instant(r.accepted_at),
    arrivedAt: instant(r.arrived_at),
  }))
}

/** From the machine's own state tag; null for a machine that tells none. Starts with the stop, which may precede the alarm. */
async function downtimeOf(deps: RetroDeps, tx: Tx, incident: FullIncidentRow, end: Date): Promise<number | null> {
  const asset = (await deps.assets.tree(tx)).byId.get(incident.asset_id)
  const device = asset && deviceOf(asset)
  if (!device) return null
  const start =
    incident.stopped_at && incident.stopped_at < incident.started_at ? incident.stopped_at : incident.started_at
  const [from, to] = [start.getTime(), end.getTime()]
  const states = await deps.pipeline.detection.machineStateHistory(incident.org_id, device, from, to)
  return states.length === 0 ? null : downtimeWithin(states, from, to)
}

function similarView(other: FullIncidentRow): Retro['similar'][number] {
  return { id: other.id, number: other.number ?? '', title: other.title, at: other.started_at.toISOString() }
}
