import type { CommandContext } from '#cloud/platform/door/command.ts'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import type { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import { type AssetRow, type AssetTree, devicePath } from '../assets/index.ts'
import { join, openChannel, say } from '../chat/index.ts'
import { callCrew } from './crew.ts'
import type { IncidentDeps } from './deps.ts'
import { tell } from './events.ts'
import { groupOf, incidentToJoin, type Joinable } from './grouping.ts'
import { earlierAlarms } from './look-back.ts'
import { reopen, reopenable } from './reopen.ts'
import { isUnrestored } from './state.ts'
import { stoppedSince } from './stop.ts'
import { type FullIncidentRow, type IncidentRow, incidentStore, type NewAlarm } from './store.ts'

/** An alarm that sounded, with what its definition asks for. */
export interface Sounding {
  readonly event: AlarmEvent & { readonly occurrenceId: string }
  readonly definition: Pick<AlarmDefinition, 'name' | 'incident' | 'trades'>
}

/** A late finding opens an incident only while it is this young, unless the setting `alarms.latePageMinutes` says otherwise. */
const LATE_MINUTES = 15

/**
 * Puts a sounding alarm where it belongs: into the open incident of its asset group, into one that it reopens, or into a
 * new one when its definition names a severity. The group's record is locked first, so that two alarms open one incident.
 */
export async function noteSounding(deps: IncidentDeps, context: CommandContext, alarm: Sounding): Promise<void> {
  const asset = await deps.assets.forDevice(context, alarm.event)
  const tree = await deps.assets.tree(context.tx)
  const group = groupOf(asset.id, treeNodes(tree))
  await context.records.lock(group)
  const store = incidentStore(context.tx)
  if (await store.alarmOf(alarm.event.occurrenceId)) return
  const incidents = await joinables(context, group)
  const activation = { alarmId: alarm.event.pointId, at: new Date(alarm.event.eventAt) }
  const target = incidentToJoin(
    activation,
    incidents.filter((i) => isUnrestored(i.row.state)),
  )
  if (target) return addAlarm(context, rowOf(incidents, target), alarm)
  if (!alarm.definition.incident || isTooLate(alarm.event, context.at, deps.latePageMinutes)) return
  const former = reopenable(activation, incidents)
  if (former) return reopenWith(deps, context, former.row, alarm)
  await openIncident(deps, context, { alarm, asset, group, tree })
}

interface Candidate extends Joinable {
  readonly row: FullIncidentRow
}

async function joinables({ tx }: CommandContext, group: string): Promise<Candidate[]> {
  const store = incidentStore(tx)
  const rows = await store.ofGroup(group)
  const alarms = await store.alarms(rows.map((row) => row.id))
  return rows.map((row) => ({
    id: row.id,
    state: row.state,
    lastActivatedAt: row.last_activated_at,
    alarmIds: alarms.filter((a) => a.incident_id === row.id).map((a) => a.alarm_id),
    row,
  }))
}

const rowOf = (candidates: readonly Candidate[], { id }: Joinable): FullIncidentRow =>
  (candidates.find((c) => c.id === id) as Candidate).row

function treeNodes(tree: AssetTree) {
  return new Map(tree.ordered.map((a) => [a.id, { id: a.id, parentId: a.parent_id, kind: a.kind }]))
}

/** What is over, or began too long ago, calls nobody any more. */
export function isTooLate(event: AlarmEvent, at: Date, latePageMinutes = LATE_MINUTES): boolean {
  const isActive = event.condition === 'active' || event.condition === 'pending-off'
  return event.isLate && (!isActive || at.getTime() - event.eventAt > latePageMinutes * 60_000)
}

async function reopenWith(
  deps: IncidentDeps,
  context: CommandContext,
  former: FullIncidentRow,
  alarm: Sounding,
): Promise<void> {
  await addAlarm(context, former, alarm)
  await reopen(deps, context, former)
}

interface Opening {
  readonly alarm: Sounding
  readonly asset: AssetRow
  readonly group: string
  readonly tree: AssetTree
}

/** Opens the incident with its room and calls the crew, all in the transaction of the alarm's event. */
async function openIncident(deps: IncidentDeps, context: CommandContext, opening: Opening): Promise<void> {
  const { alarm, asset, tree } = opening
  const opener = alarmOf(alarm)
  const at = opener.activated_at
  const { group } = opening
  const earlier = await earlierAlarms(deps, context, { group, tree, opener: opener.occurrence_id, at })
  const first = earlier[0]
  const causeId = first && first.activated_at < at ? first.occurrence_id : opener.occurrence_id
  const title = titleOf(asset.name, alarm.definition.name)
  const record = await context.records.create({
    type: 'incident',
    series: 'INC',
    title,
    state: 'open',
    ownerId: asset.owner_id,
    causeId,
  })
  const name = { en: `${record.number} ${title.en}`, 'zh-CN': `${record.number} ${title['zh-CN']}` }
  const channelId = await openChannel(context, { kind: 'incident', name, recordId: record.id })
  const row = await incidentRow(deps, context, opening, { id: record.id, channelId })
  await incidentStore(context.tx).add(row)
  const head = { number: record.number, title, state: 'open' as const, revision: record.revision, cause_id: causeId }
  const incident: FullIncidentRow = { ...row, ...head }
  const data = {
    number: record.number,
    severity: row.severity,
    assetId: asset.id,
    channelId,
    title,
    device: alarm.event.device,
  }
  await tell(context, incident, 'incident.opened', data)
  for (const one of [...earlier, opener]) await keepAlarm(context, incident, one)
  await furnishRoom(context, incident, { opening, tree })
  await callCrew(deps, context, incident)
}

function titleOf(asset: LocalizedText, alarm: LocalizedText): LocalizedText {
  return { en: `${asset.en}: ${alarm.en}`, 'zh-CN': `${asset['zh-CN']}：${alarm['zh-CN']}` }
}

const NOT_YET = {
  notified_at: null,
  acknowledged_at: null,
  acknowledged_by: null,
  accepted_at: null,
  accepted_by: null,
  arrived_at: null,
  arrived_by: null,
  contained_at: null,
  contained_by: null,
  restored_at: null,
  restored_by: null,
  restore_proof: null,
  restore_reason: null,
  closed_at: null,
}

async function incidentRow(
  deps: IncidentDeps,
  context: CommandContext,
  { alarm, asset, group }: Opening,
  { id, channelId }: { id: string; channelId: string },
): Promise<IncidentRow> {
  const { event, definition } = alarm
  return {
    ...NOT_YET,
    id,
    org_id: context.org,
    severity: definition.incident ?? 'S3',
    priority: event.priority,
    asset_id: asset.id,
    group_asset_id: group,
    channel_id: channelId,
    trades: [...(definition.trades ?? ['mechanical'])],
    started_at: new Date(event.eventAt),
    last_activated_at: new Date(event.eventAt),
    opened_at: context.at,
    detected_at: new Date(event.recordedAt),
    stopped_at: await stoppedSince(deps, context.org, devicePath(event)),
  }
}

/** The room's first lines and the people who belong there besides the crew: the asset's owner and its line's owners. */
async function furnishRoom(
  context: CommandContext,
  incident: FullIncidentRow,
  { opening, tree }: { opening: Opening; tree: AssetTree },
): Promise<void> {
  const { asset } = opening
  const above = tree.path(asset.id).map((ref) => tree.byId.get(ref.id)?.owner_id)
  await join(
    context,
    incident.channel_id,
    [asset.owner_id, ...above].filter((id) => id !== null && id !== undefined),
  )
  const localized = {
    en: `Incident opened: ${incident.title.en}`,
    'zh-CN': `异常已建立：${incident.title['zh-CN']}`,
  }
  await say(context, incident.channel_id, { kind: 'system', localized })
  await say(context, incident.channel_id, { kind: 'card', recordId: incident.id })
}

/** Adds the alarm to the incident; its place in the first-out order follows from event time. */
async function addAlarm(context: CommandContext, incident: FullIncidentRow, sounding: Sounding): Promise<void> {
  const alarm = alarmOf(sounding)
  await keepAlarm(context, incident, alarm)
  if (alarm.occurrence_id === incident.cause_id) return
  const { en, 'zh-CN': zh } = alarm.name
  const localized = { en: `Another alarm: ${en}`, 'zh-CN': `新增报警：${zh}` }
  await say(context, incident.channel_id, { kind: 'system', localized })
}

async function keepAlarm(context: CommandContext, incident: FullIncidentRow, alarm: NewAlarm): Promise<void> {
  const store = incidentStore(context.tx)
  const { activated_at, occurrence_id, alarm_id, name, tag_path } = alarm
  await store.addAlarm({ ...alarm, org_id: context.org, incident_id: incident.id })
  if (activated_at > incident.last_activated_at) await store.set(incident.id, { last_activated_at: activated_at })
  if (occurrence_id === incident.cause_id) return
  const data = { occurrenceId: occurrence_id, alarmId: alarm_id, name, tagPath: tag_path }
  await tell(context, incident, 'incident.alarm-joined', { ...data, eventAt: activated_at.toISOString() })
}

function alarmOf({ event, definition }: Sounding): NewAlarm {
  return {
    occurrence_id: event.occurrenceId,
    alarm_id: event.pointId,
    name: definition.name,
    priority: event.priority,
    tag_path: `${devicePath(event)}/${event.tag}`,
    level: event.level ?? null,
    value: event.value ?? null,
    setpoint: event.setpoint ?? null,
    activated_at: new Date(event.eventAt),
    returned_at: null,
  }
}
