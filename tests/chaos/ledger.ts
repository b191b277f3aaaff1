import { readFileSync } from 'node:fs'
import type { LedgerLine } from '#devices/simulators/ledger.ts'

/** One value that the simulator answered, with the time of the first answer that carried it, ms since 1970. */
export interface Answered {
  readonly value: number
  readonly at: number
}

/** One stored sample. */
export interface Stored {
  readonly value: number
  readonly at: number
}

/** What the simulator answered, by `device/tag`, in order. A line cut off by a kill is left out. */
export function readAnswers(file: string, isWanted: (device: string) => boolean): Map<string, Answered[]> {
  const answers = new Map<string, Answered[]>()
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const entry = parse(line)
    if (entry?.kind !== 'answered' || !isWanted(entry.device)) continue
    const key = `${entry.device}/${entry.tag}`
    const list = answers.get(key) ?? []
    if (list.length === 0) answers.set(key, list)
    list.push({ value: Number(entry.value), at: entry.answeredAt })
  }
  return answers
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
  /** Stored, but never answered. */
  readonly unknown: string[]
}

/** A sample's source time is taken when the answer arrives; this far apart an answer and its sample may lie, ms. */
const SAME_MS = 1500
/** An answer that came this long before a kill may not have been accepted yet, ms. */
const IN_FLIGHT_MS = 1500

/**
 * Compares a tag's history with the ledger, value by value. `kills` are the times at which the plant or the edge was
 * killed: only answers in flight at such a moment may be missing, and only across such a moment may a value be read again.
 */
export function compareTag(
  key: string,
  answers: readonly Answered[],
  stored: readonly Stored[],
  kills: readonly number[],
): Comparison {
  const result: Comparison = { compared: 0, lost: [], doubled: [], unknown: [] }
  const taken = new Map<Answered, number>()
  const byValue = new Map<number, Answered[]>()
  for (const answer of answers) byValue.set(answer.value, [...(byValue.get(answer.value) ?? []), answer])
  for (const sample of stored) {
    const near = (byValue.get(sample.value) ?? []).filter((answer) => sample.at >= answer.at - SAME_MS)
    const answer = near.at(-1)
    if (!answer) {
      result.unknown.push(`${key} ${sample.value} at ${sample.at}`)
      continue
    }
    const before = taken.get(answer)
    const wasKilledBetween =
      before !== undefined && kills.some((kill) => kill >= before - IN_FLIGHT_MS && kill <= sample.at)
    if (before !== undefined && !wasKilledBetween)
      result.doubled.push(`${key} ${sample.value} at ${before} and ${sample.at}`)
    taken.set(answer, sample.at)
    result.compared += 1
  }
  for (const answer of answers) {
    const wasInFlight = kills.some((kill) => answer.at > kill - IN_FLIGHT_MS && answer.at < kill + IN_FLIGHT_MS)
    if (!taken.has(answer) && !wasInFlight) result.lost.push(`${key} ${answer.value} answered at ${answer.at}`)
  }
  return result
}
