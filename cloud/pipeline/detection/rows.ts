import {
  type AlarmChange,
  INITIAL_STATE,
  isActive,
  isAnnunciated,
  isaState,
  levelNamed,
  qualityOf,
} from '#shared/alarms/index.ts'
import type { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import { PRIORITIES } from '#shared/contracts/priority.ts'
import type { PointMemory } from './tables.ts'
import type { AppliedAction, Batch, LateOccurrence, LoggedEvent, MachineRow, PointRow, PointSlot } from './work.ts'

const instant = (at: number | null | undefined) => (at === null || at === undefined ? null : new Date(at).toISOString())

/** `group/edge/device`, by which devices are named everywhere. */
export const devicePath = ({ edge, device }: Pick<PointSlot, 'edge' | 'device'>) =>
  `${edge.group}/${edge.edge}/${device}`

/** What every sample changes. */
export const memoryOf = ({ value, valueAt, rate }: PointMemory): PointMemory => ({ value, valueAt, rate })

/** The columns that follow from the state. */
export function pointState({ slot, state, changedAt, revision }: PointRow) {
  const level = levelNamed(slot.rule, state.level)
  const priority = level?.priority ?? slot.rule.definition.priority
  return {
    id: slot.rule.pointId,
    priority,
    urgency: PRIORITIES.indexOf(priority),
    state: isaState(state),
    is_annunciated: !slot.isRetired && isAnnunciated(state),
    is_acked: state.isAcked,
    quality: qualityOf(state),
    level: isActive(state) ? state.level : null,
    value: state.value,
    setpoint: level && Number.isFinite(level.setpoint) ? level.setpoint : null,
    occurrence_id: state.occurrence?.id ?? null,
    active_since: instant(isActive(state) ? (state.occurrence?.activatedAt ?? state.since) : null),
    acknowledged_at: instant(state.ackedAt),
    acknowledged_by: state.ackedBy,
    shelved_until: instant(state.shelving?.until),
    changed_at: instant(changedAt),
    regions: state,
    retired_at: slot.isRetired ? instant(changedAt) : null,
    revision,
  }
}

/** The definition that a point is bound to. */
export const definitionRow = ({ edge, profile, rule }: PointSlot) => ({
  org_id: edge.org,
  profile,
  alarm: rule.definition.alarm,
  version: rule.version,
  document: rule.definition,
})

/** A point as it is bound: a new one begins at A, its state follows with its events. */
export function pointBinding(slot: PointSlot) {
  return {
    ...pointState({ slot, state: INITIAL_STATE, changedAt: slot.changedAt, revision: 0 }),
    org_id: slot.edge.org,
    group_key: slot.edge.group,
    edge: slot.edge.edge,
    device: slot.device,
    device_path: devicePath(slot),
    tag: slot.rule.definition.tag,
    alarm: slot.rule.definition.alarm,
    profile: slot.profile,
    definition_version: slot.rule.version,
    name: slot.rule.definition.name,
  }
}

/** The begin of an interval, with the event that tells it. */
export function machineRow({ org, ...event }: MachineRow) {
  const { group, edge, device, state, at } = event
  const device_path = `${group}/${edge}/${device}`
  return { device_path, since: instant(at), org_id: org, group_key: group, edge, device, state, event }
}

export const appliedAction = ({ id, at, result }: AppliedAction) => ({ id, applied_at: instant(at), result })

/** One line of the alarm log. */
export function logRow({ org, event }: LoggedEvent, ord: number) {
  return {
    ord,
    id: event.id,
    org_id: org,
    point_id: event.pointId,
    occurrence_id: event.occurrenceId,
    transition: event.transition,
    event_at: instant(event.eventAt),
    recorded_at: instant(event.recordedAt),
    state: event.state,
    by: event.by ?? null,
    event,
  }
}

function openedRow(org: string, version: number, event: AlarmChange & { readonly isLate: boolean }) {
  return {
    id: event.occurrenceId,
    org_id: org,
    point_id: event.pointId,
    cause_id: event.occurrenceId,
    definition_version: version,
    opened_at: instant(event.eventAt),
    returned_at: null as string | null,
    closed_at: null as string | null,
    priority: event.priority,
    level: event.level ?? null,
    value: event.value ?? null,
    setpoint: event.setpoint ?? null,
    peak_value: event.peak ?? null,
    peak_at: instant(event.peakAt),
    count: event.count,
    is_suppressed: !event.isRaised,
    is_late: event.isLate,
  }
}

/** Occurrences that the events open. */
export const openedOccurrences = ({ events }: Batch) =>
  events
    .filter(({ event }) => event.transition === 'activated' && event.count === 1)
    .map(({ org, version, event }) => openedRow(org, version, event))

/** An occurrence of the past, complete at once. */
export function lateOccurrence({ slot, activated, returned, isSuppressed }: LateOccurrence) {
  return {
    ...openedRow(slot.edge.org, slot.rule.version, { ...activated, isLate: true }),
    returned_at: instant(returned.eventAt),
    closed_at: instant(returned.eventAt),
    peak_value: returned.peak ?? null,
    peak_at: instant(returned.peakAt),
    is_suppressed: isSuppressed,
  }
}

interface OccurrencePatch {
  readonly id: string
  readonly tells_return: boolean
  readonly returned_at: string | null
  readonly closed_at: string | null
  readonly count: number
  readonly peak_value: number | null
  readonly peak_at: string | null
}

const NOTHING = { tells_return: false, returned_at: null, closed_at: null, peak_value: null, peak_at: null }

function patched(before: OccurrencePatch | undefined, id: string, event: AlarmEvent): OccurrencePatch {
  const base = before ?? { ...NOTHING, id, count: event.count }
  const peak = event.peak === undefined ? {} : { peak_value: event.peak, peak_at: instant(event.peakAt) }
  const told = { ...base, ...peak, count: event.count }
  switch (event.transition) {
    case 'activated':
      return { ...told, tells_return: true, returned_at: null }
    case 'returned':
      return { ...told, tells_return: true, returned_at: instant(event.eventAt) }
    case 'closed':
      return { ...told, closed_at: instant(event.eventAt) }
    default:
      return told
  }
}

/** What the batch adds to occurrences: return, closing, count, peak. */
export function occurrencePatches({ events, points }: Batch): OccurrencePatch[] {
  const patches = new Map<string, OccurrencePatch>()
  for (const { event } of events) {
    const id = event.occurrenceId
    if (id !== null) patches.set(id, patched(patches.get(id), id, event))
  }
  for (const { state } of points) {
    const open = state.occurrence
    if (!open) continue
    const before = patches.get(open.id) ?? { ...NOTHING, id: open.id }
    patches.set(open.id, { ...before, count: open.count, peak_value: open.peak, peak_at: instant(open.peakAt) })
  }
  return [...patches.values()]
}
