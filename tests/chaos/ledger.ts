import { readFileSync } from 'node:fs'
import type { LedgerLine } from '#devices/simulators/ledger.ts'

/** One value that the simulator answered, with the time of the first answer that carried it, ms since 1970. */
export interface Answered {
  readonly value: number
  readonly at: number
}

/** One stored sample; a bad one carries no value. */
export interface Stored {
  readonly value: number
  readonly at: number
  readonly isBad: boolean
}

/** What the simulator wrote down of one tag. */
export interface TagLedger {
  /** In order; a kill may cost the lines of the last 100 ms. */
  readonly answered: Answered[]
  /** Every value that a client could have read: written before it was served, so a kill costs no line. */
  readonly served: Map<number, number>
}

/** What the simulator wrote down, by `device/tag`. A line cut off by a kill is left out. */
export function readLedger(file: string, isWanted: (device: string) => boolean): Map<string, TagLedger> {
  const tags = new Map<string, TagLedger>()
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const entry = parse(line)
    if (!entry || !isWanted(entry.device)) continue
    const key = `${entry.device}/${entry.tag}`
    const tag: TagLedger = tags.get(key) ?? { answered: [], served: new Map() }
    tags.set(key, tag)
    if (entry.kind === 'answered') tag.answered.push({ value: Number(entry.value), at: entry.answeredAt })
    else tag.served.set(Number(entry.value), entry.at)
  }
  return tags
}

function parse(line: string): LedgerLine | undefined {
  try {
    return line === '' ? undefined : (JSON.parse(line) as LedgerLine)
  } catch {
    return undefined
  }
}

export interface Comparison {
  compared: number
  /** Answered, never stored, and no process was killed at that moment. */
  readonly lost: string[]
  /** Stored twice without a restart in between. */
  readonly doubled: string[]
  /** Stored, but never served. */
  readonly unknown: string[]
}

/** An answer that came this long before a kill may not have been accepted yet, ms. */
const IN_FLIGHT_MS = 1500

/** An answer that came so late that the edge had given the device up is followed by a bad sample within this time, ms. */
const GIVEN_UP_MS = 2000

/**
 * Compares a tag's history with the ledger, value by value; no two values of the ledger are equal. `kills` are the times
 * at which the plant or the edge was killed: only answers in flight at such a moment, or answers too late for an edge that
 * recorded the device as lost, may be missing, and only across such a moment may a value be read again.
 */
export function compareTag(
  key: string,
  ledger: TagLedger,
  stored: readonly Stored[],
  kills: readonly number[],
): Comparison {
  const result: Comparison = { compared: 0, lost: [], doubled: [], unknown: [] }
  const taken = new Map<number, number>()
  const lostAt = stored.filter((sample) => sample.isBad).map((sample) => sample.at)
  for (const { value, at } of stored.filter((sample) => !sample.isBad)) {
    const before = taken.get(value)
    if (!ledger.served.has(value)) result.unknown.push(`${key} ${value} at ${at}`)
    else if (before !== undefined && !isAcross([...kills, ...lostAt], before, at)) {
      result.doubled.push(`${key} ${value} at ${before} and ${at}`)
    } else result.compared += 1
    taken.set(value, at)
  }
  for (const { value, at } of ledger.answered) {
    const wasTold = lostAt.some((lost) => lost >= at - IN_FLIGHT_MS && lost <= at + GIVEN_UP_MS)
    if (!taken.has(value) && !wasTold && !isAcross(kills, at, at + IN_FLIGHT_MS))
      result.lost.push(`${key} ${value} answered at ${at}`)
  }
  return result
}

/** True when a process was killed between two times, or so shortly after the first that its effect was still in flight. */
const isAcross = (kills: readonly number[], from: number, to: number) =>
  kills.some((kill) => kill >= from - IN_FLIGHT_MS && kill <= to)
