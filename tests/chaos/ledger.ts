import { readFileSync } from 'node:fs'
import type { LedgerLine } from '#devices/simulators/ledger.ts'

/** One value that the simulator gave to a client, with the time of the first answer or notification that carried it, ms since 1970. */
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
  /** Given to the edge, never stored, and excused: by a kill of that moment, or by the edge's own record of the loss. */
  excusedByKill: number
  excusedByRecord: number
  /** Given to the edge, never stored, and nothing excuses it. */
  readonly lost: string[]
  /** Stored twice without a restart in between. */
  readonly doubled: string[]
  /** Stored, but never served. */
  readonly unknown: string[]
  /** Stored at another time than the one that the device gave with the value. */
  readonly misdated: string[]
}

/** Nothing compared yet. */
export const noComparison = (): Comparison => ({
  compared: 0,
  excusedByKill: 0,
  excusedByRecord: 0,
  lost: [],
  doubled: [],
  unknown: [],
  misdated: [],
})

/** For this long after a kill the other side may still answer into a link that nobody reads, ms. */
const IN_FLIGHT_MS = 1500

/** A scan takes no longer than this from its first answer to the commit that accepts it, even on a starved machine, ms. */
const LONGEST_SCAN_MS = 10_000

/** An answer that came so late that the edge had given the device up is followed by a bad sample within this time, ms. */
const GIVEN_UP_MS = 2000

/** The gateway dates a standing value by its own clock when the device's time is further than this from it, ms. */
const TOLERANCE_MS = 2000

/** A kill, and when the last process below the killed one had ended: until then it may take values that nobody accepts. ms since 1970. */
export interface Kill {
  readonly at: number
  readonly goneAt: number
}

export interface CompareOptions {
  /** Kills of a process that reads or serves the tag. */
  readonly kills: readonly Kill[]
  /** The device gives the time of each value, as OPC UA does: history has that one. */
  readonly givesTimes?: boolean
}

/**
 * Compares a tag's history with the ledger, value by value; no two values of the ledger are equal. A value counts as given
 * to the edge when an answer (Modbus) or a notification (OPC UA) carried it: one that no sampling saw was never given.
 * Only values in flight at a kill, or given while the edge recorded the device as lost, may be missing, and only across
 * such a moment may a value be read again.
 */
export function compareTag(
  key: string,
  ledger: TagLedger,
  stored: readonly Stored[],
  { kills, givesTimes = false }: CompareOptions,
): Comparison {
  const result = noComparison()
  const taken = new Map<number, number>()
  const losses = lossesOf(stored)
  const breaks = [...kills.map((kill) => kill.at), ...losses.map(({ from }) => from)]
  for (const { value, at } of stored.filter((sample) => !sample.isBad)) {
    const before = taken.get(value)
    const servedAt = ledger.served.get(value)
    if (servedAt === undefined) result.unknown.push(`${key} ${value} at ${at}`)
    else if (before !== undefined && !isAcross(breaks, before, at)) {
      result.doubled.push(`${key} ${value} at ${before} and ${at}`)
    } else result.compared += 1
    if (givesTimes && servedAt !== undefined && !isDated({ servedAt, at }, breaks))
      result.misdated.push(`${key} ${value} of ${servedAt} at ${at}`)
    taken.set(value, at)
  }
  for (const { value, at } of ledger.answered) {
    if (taken.has(value)) continue
    if (isInFlight(at, kills, taken.values().toArray())) result.excusedByKill += 1
    else if (losses.some(({ from, until }) => at >= from - GIVEN_UP_MS && at <= until)) result.excusedByRecord += 1
    else result.lost.push(`${key} ${value} answered at ${at}`)
  }
  return result
}

/** Adds one comparison to another. */
export function addTo(total: Comparison, one: Comparison): void {
  total.compared += one.compared
  total.excusedByKill += one.excusedByKill
  total.excusedByRecord += one.excusedByRecord
  for (const kind of ['lost', 'doubled', 'unknown', 'misdated'] as const) total[kind].push(...one[kind])
}

/** Where history says that the device was lost: from each bad sample to the next good one. */
function lossesOf(stored: readonly Stored[]): { readonly from: number; readonly until: number }[] {
  const inOrder = stored.toSorted((a, b) => a.at - b.at)
  return inOrder.flatMap(({ isBad, at }, i) => {
    const next = inOrder.slice(i + 1).find((later) => !later.isBad)
    return isBad ? [{ from: at, until: next?.at ?? at }] : []
  })
}

/** The device's own time, moved by 1 ms at most; a value found when a link opens, or seen very late, has the gateway's. */
function isDated({ servedAt, at }: { servedAt: number; at: number }, breaks: readonly number[]): boolean {
  const lateMs = at - servedAt
  return (lateMs >= 0 && lateMs <= 1) || lateMs > TOLERANCE_MS || (lateMs > 0 && isAcross(breaks, servedAt, at))
}

/**
 * True for what was given right before a kill and not yet accepted. Samples of a tag are accepted in order, so it must be the
 * tag's last before that kill: a later one in history proves that this one had its chance.
 */
const isInFlight = (at: number, kills: readonly Kill[], storedAt: readonly number[]) =>
  kills.some((kill) =>
    kill.at <= at
      ? at - kill.goneAt <= IN_FLIGHT_MS
      : kill.at - at <= LONGEST_SCAN_MS && !storedAt.some((later) => later > at && later <= kill.at),
  )

/** True when a process was killed between two times, or so shortly after the first that its effect was still in flight. */
const isAcross = (kills: readonly number[], from: number, to: number) =>
  kills.some((kill) => kill >= from - IN_FLIGHT_MS && kill <= to)
