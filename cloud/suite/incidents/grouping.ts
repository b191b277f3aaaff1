/** Minutes after an incident's last activation in which another alarm of the asset group still joins it. */
export const WINDOW_MINUTES = 30

/** An asset as grouping needs it: who stands above it, and its ISA-95 kind. */
export interface TreeNode {
  readonly id: string
  readonly parentId: string | null
  readonly kind: string
}

/**
 * The asset whose alarms belong together with those of `asset`: its work unit, because one machine fails at a time and
 * a line's machines have crews of their own; the asset itself where it stands above all work units or outside the tree.
 */
export function groupOf(asset: string, tree: ReadonlyMap<string, TreeNode>): string {
  const seen = new Set<string>()
  for (let node = tree.get(asset); node && !seen.has(node.id); node = tree.get(node.parentId ?? '')) {
    if (node.kind === 'work-unit') return node.id
    seen.add(node.id)
  }
  return asset
}

/** An incident of the same asset group that could take an alarm in. */
export interface Joinable {
  readonly id: string
  readonly state: string
  readonly lastActivatedAt: Date
  readonly alarmIds: readonly string[]
}

/**
 * The incident that an activation joins: one that already holds this alarm, else one whose last activation lies within
 * the sliding window around it. Undefined: the activation opens its own.
 */
export function incidentToJoin(
  activation: { readonly alarmId: string; readonly at: Date },
  open: readonly Joinable[],
): Joinable | undefined {
  const same = open.find((incident) => incident.alarmIds.includes(activation.alarmId))
  return same ?? open.find((incident) => isWithinWindow(incident, activation.at))
}

function isWithinWindow(incident: Joinable, at: Date): boolean {
  return Math.abs(at.getTime() - incident.lastActivatedAt.getTime()) <= WINDOW_MINUTES * 60_000
}

/** An alarm of an incident with its place in the order of activation. */
export interface Activation {
  readonly occurrenceId: string
  readonly activatedAt: Date
}

/**
 * Numbers alarms by event time from 1. All that share the earliest time are first-out: the order of ties is not known,
 * so none is preferred; the incident's cause only stands first among them.
 */
export function firstOutOrder<T extends Activation>(
  alarms: readonly T[],
  causeId?: string | null,
): (T & { order: number; isFirstOut: boolean })[] {
  const sorted = [...alarms].sort(
    (a, b) =>
      a.activatedAt.getTime() - b.activatedAt.getTime() ||
      Number(b.occurrenceId === causeId) - Number(a.occurrenceId === causeId) ||
      a.occurrenceId.localeCompare(b.occurrenceId),
  )
  const earliest = sorted[0]?.activatedAt.getTime()
  return sorted.map((alarm, i) => ({ ...alarm, order: i + 1, isFirstOut: alarm.activatedAt.getTime() === earliest }))
}
