import type { OccurrenceStatus } from '#cloud/pipeline/index.ts'
import type { CommandContext } from '#cloud/platform/door/command.ts'
import { type AssetTree, devicesOf } from '../assets/index.ts'
import type { IncidentDeps } from './deps.ts'
import { WINDOW_MINUTES } from './grouping.ts'
import { incidentStore, type NewAlarm } from './store.ts'

/**
 * Alarms of the asset group that stood already when the incident opened and called nobody by themselves, oldest first: the
 * first-out of a fault is often the mild alarm that came before the grave one. Instrument alarms tell of the wire, not of the machine.
 */
export async function earlierAlarms(
  { pipeline }: IncidentDeps,
  context: CommandContext,
  { group, tree, opener, at }: { group: string; tree: AssetTree; opener: string; at: Date },
): Promise<NewAlarm[]> {
  const devices = devicesOf(tree.below(group))
  if (devices.length === 0) return []
  const from = at.getTime() - WINDOW_MINUTES * 60_000
  const stood = (await pipeline.detection.occurrences(context.org, { devices, from, to: at.getTime() + 1, limit: 100 }))
    .filter((o) => o.id !== opener && o.closedAt === null && !o.isSuppressed)
    .sort((a, b) => a.openedAt - b.openedAt)
  const taken = new Set(
    (await incidentStore(context.tx).incidentsOf(stood.map((o) => o.id))).map((r) => r.occurrence_id),
  )
  const free = stood.filter((o) => !taken.has(o.id))
  if (free.length === 0) return []
  const { items } = await pipeline.detection.alarms(context.org, { ids: free.map((o) => o.pointId), limit: 500 })
  const points = new Map(items.filter((p) => p.definition.class !== 'instrument').map((p) => [p.id, p]))
  return free.flatMap((o) => {
    const point = points.get(o.pointId)
    return point ? [alarmOf(o, point.definition.name)] : []
  })
}

function alarmOf(occurrence: OccurrenceStatus, name: NewAlarm['name']): NewAlarm {
  const { group, edge, device, tag } = occurrence
  return {
    occurrence_id: occurrence.id,
    alarm_id: occurrence.pointId,
    name,
    priority: occurrence.priority,
    tag_path: `${group}/${edge}/${device}/${tag}`,
    level: occurrence.level,
    value: occurrence.value,
    setpoint: occurrence.setpoint,
    activated_at: new Date(occurrence.openedAt),
    returned_at: occurrence.returnedAt === null ? null : new Date(occurrence.returnedAt),
  }
}
