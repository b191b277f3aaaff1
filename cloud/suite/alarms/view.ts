import type { AlarmLogLine, AlarmPointStatus } from '#cloud/pipeline/index.ts'
import type { Tx } from '#cloud/platform/database/database.ts'
import type { Alarm, AlarmDetail } from '#shared/contracts/alarm.ts'
import { type Assets, type AssetTree, devicePath } from '../assets/index.ts'
import { chip, type Directory, type PersonRefs } from '../directory/index.ts'
import type { Incidents, OccurrenceIncident } from '../incidents/index.ts'
import type { SuiteDeps } from '../kernel/index.ts'

export interface AlarmDeps extends SuiteDeps {
  readonly directory: Directory
  readonly assets: Assets
  readonly incidents: Incidents
}

interface Surroundings {
  readonly tree: AssetTree
  readonly people: PersonRefs
  readonly incidents: ReadonlyMap<string, OccurrenceIncident>
  readonly units: ReadonlyMap<string, string | null>
}

/** Alarm points as the list shows them, in the order given. */
export async function alarmsView(deps: AlarmDeps, tx: Tx, points: readonly AlarmPointStatus[]): Promise<Alarm[]> {
  const around: Surroundings = {
    tree: await deps.assets.tree(tx),
    people: await deps.directory.refs(
      tx,
      points.map((p) => p.acknowledgedBy),
    ),
    incidents: await deps.incidents.ofOccurrences(
      tx,
      points.flatMap((p) => p.occurrenceId ?? []),
    ),
    units: await unitsOf(deps, points),
  }
  return points.map((point) => alarmView(point, around))
}

const tagPathOf = (point: AlarmPointStatus) => `${devicePath(point)}/${point.tag}`

/** Units by tag. The alarms are shown without them while the pipeline cannot be asked. */
async function unitsOf({ pipeline }: AlarmDeps, points: readonly AlarmPointStatus[]) {
  const paths = [...new Set(points.map(tagPathOf))]
  const units = paths.map(async (path) => [path, (await pipeline.tag(path))?.unit ?? null] as const)
  return new Map(await Promise.all(units).catch(() => []))
}

function alarmView(point: AlarmPointStatus, { tree, people, incidents, units }: Surroundings): Alarm {
  const tagPath = tagPathOf(point)
  const asset = tree.byDevice.get(devicePath(point))
  const incident = incidents.get(point.occurrenceId ?? '')
  return {
    id: point.id,
    name: point.definition.name,
    alarm: point.alarm,
    tag: point.tag,
    tagPath,
    asset: asset ? tree.ref(asset.id) : null,
    assetPath: asset ? tree.path(asset.id) : [],
    priority: point.priority,
    class: point.definition.class ?? 'process',
    state: point.state,
    flags: flagsOf(point),
    level: point.level,
    value: point.value,
    setpoint: point.setpoint,
    unit: units.get(tagPath) ?? null,
    occurrenceId: point.occurrenceId,
    isFirstOut: incident?.isFirstOut ?? false,
    activeSince: wire(point.activeSince),
    changedAt: new Date(point.changedAt).toISOString(),
    acknowledgedBy: chip(people, point.acknowledgedBy),
    acknowledgedAt: wire(point.acknowledgedAt),
    shelvedUntil: wire(point.shelvedUntil),
    incident: incident ? { id: incident.id, number: incident.number } : null,
  }
}

const wire = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())

function flagsOf(point: AlarmPointStatus): Alarm['flags'] {
  const flags: readonly (readonly [boolean, Alarm['flags'][number]])[] = [
    [point.isActive, 'active'],
    [point.isUnacknowledged, 'unacknowledged'],
    [point.isLatched, 'latched'],
    [point.isShelved, 'shelved'],
    [point.isSuppressedByDesign, 'suppressed-by-design'],
    [point.isOutOfService, 'out-of-service'],
    [point.quality === 'stale', 'stale'],
  ]
  return flags.filter(([isSet]) => isSet).map(([, flag]) => flag)
}

/** One alarm with its definition and its log, newest line first. */
export async function alarmDetail(deps: AlarmDeps, tx: Tx, point: AlarmPointStatus): Promise<AlarmDetail> {
  const [alarm] = await alarmsView(deps, tx, [point])
  const log = await deps.pipeline.detection.alarmLog(point.org, { pointId: point.id, limit: 200 })
  const people = await deps.directory.refs(
    tx,
    log.map((line) => line.by),
  )
  return {
    alarm: alarm as Alarm,
    definition: point.definition,
    version: point.definitionVersion,
    log: log.map((line) => logView(line, people)).reverse(),
  }
}

function logView(line: AlarmLogLine, people: PersonRefs): AlarmDetail['log'][number] {
  return {
    seq: String(line.seq),
    transition: line.transition,
    state: line.state,
    eventAt: new Date(line.eventAt).toISOString(),
    recordedAt: new Date(line.recordedAt).toISOString(),
    by: chip(people, line.by),
    comment: line.comment ?? null,
    value: line.value ?? null,
    level: line.level ?? null,
  }
}
