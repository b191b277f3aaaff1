import type { Log } from '#shared/log/log.ts'
import type { HistoryEngine } from '../history-engine.ts'
import type { Refusal } from './lines.ts'

/** Tells people of values that the engine would not keep. */
export interface Refusals {
  note(refusals: readonly Refusal[]): void
  /** What was refused within the last hour, in words. */
  faults(): readonly string[]
}

export interface RefusalOptions {
  readonly engine: HistoryEngine
  /** ms since 1970 */
  readonly clock: () => number
  readonly log: Log
}

const TOLD_FOR_MS = 3_600_000
const DAY_MS = 86_400_000

/** Starts with nothing refused. */
export function refusals({ engine, clock, log }: RefusalOptions): Refusals {
  const told = new Map<string, { text: string; at: number; rows: number }>()
  return {
    note(all) {
      for (const refusal of all) {
        const { group, edge, reason } = refusal
        const id = `${group}/${edge}/${reason}`
        const before = told.get(id)
        const rows = refusal.rows + (before?.rows ?? 0)
        if (!before)
          log.error({ group, edge, reason }, 'The engine keeps no values of these times; they are not stored')
        told.set(id, { text: textOf(engine, refusal, rows), at: clock(), rows })
      }
    },
    faults() {
      for (const [id, { at }] of told) if (clock() - at > TOLD_FOR_MS) told.delete(id)
      return [...told.values()].map(({ text }) => text)
    },
  }
}

function textOf({ name, retentionMs }: HistoryEngine, { group, edge, reason }: Refusal, rows: number): string {
  const who = `${rows} values of the edge ${group}/${edge}`
  if (reason === 'newer') return `${who} lie too far in the future for ${name} and were not stored; set the clock there`
  const days = Math.round((retentionMs ?? 0) / DAY_MS)
  return `${who} are older than the ${days} days that ${name} keeps and were not stored; raise its retention`
}
