import type { Deletion, HistoryLevel } from '../historian.ts'
import type { BlockFile, Kind } from './catalogue.ts'

/** How long a class keeps each level, in ms of source time; what is not told is kept for ever. */
export interface KeepTimes {
  readonly rawMs?: number
  readonly minuteMs?: number
  readonly hourMs?: number
}

/** Keep times by class. */
export type Retention = Readonly<Record<number, KeepTimes>>

export const LEVEL_OF: Readonly<Record<Kind, HistoryLevel>> = { n: 'raw', w: 'raw', m: 'minute', h: 'hour' }

/** Files to remove with the records that tell of it. */
export interface Expiry {
  readonly files: readonly BlockFile[]
  readonly deletions: readonly Deletion[]
}

/** What is over at `now`: whole files whose newest value is older than its class keeps that level. */
export function expired(files: readonly BlockFile[], retention: Retention, now: number): Expiry {
  const over = files.filter((file) => file.lastAt < now - keepMs(retention[file.class], LEVEL_OF[file.kind]))
  const groups = Map.groupBy(over, (file) => `${file.class}/${LEVEL_OF[file.kind]}`)
  const deletions = [...groups.values()].map((group) => ({
    deletedAt: now,
    level: LEVEL_OF[group[0]?.kind ?? 'n'],
    class: group[0]?.class ?? 0,
    firstAt: Math.min(...group.map((file) => file.firstAt)),
    lastAt: Math.max(...group.map((file) => file.lastAt)),
    rows: group.reduce((sum, file) => sum + file.rows, 0),
  }))
  return { files: over, deletions }
}

function keepMs(keep: KeepTimes | undefined, level: HistoryLevel): number {
  const told = { raw: keep?.rawMs, minute: keep?.minuteMs, hour: keep?.hourMs }[level]
  return told ?? Number.POSITIVE_INFINITY
}
