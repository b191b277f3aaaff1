import type { Expected } from './expect.ts'
import type { Sample } from './plan.ts'

export type FaultKind =
  | 'lost'
  | 'duplicated'
  | 'changed'
  | 'alarmMissing'
  | 'alarmTwice'
  | 'alarmWrong'
  | 'logHole'
  | 'occurrenceWrong'
  | 'incidentMissing'
  | 'incidentTwice'
  | 'pageMissed'
  | 'pageTwice'

/** One thing that history, the alarm log or the crew's inbox has otherwise than the ledger. */
export interface Fault {
  readonly kind: FaultKind
  readonly what: string
  /** When it was so, ms since 1970; undefined where there is no such time. */
  readonly at?: number
}

/** A stored sample as the API tells it. */
export interface Stored {
  readonly at: number
  readonly value: number | null
  readonly quality: number
}

const inWords = ({ value, quality }: Omit<Stored, 'at'>) => `${value} (${quality})`

/** Compares what history holds of a tag with the ledger: value, quality and source time of each. */
export function compareTag(path: string, expected: readonly Sample[], stored: readonly Stored[]): Fault[] {
  const faults: Fault[] = []
  const found = new Map<number, Stored>()
  for (const one of stored) {
    if (found.has(one.at)) faults.push({ kind: 'duplicated', what: `${path} ${inWords(one)}`, at: one.at })
    found.set(one.at, one)
  }
  for (const { at, value, quality } of expected) {
    const one = found.get(at)
    found.delete(at)
    if (!one) faults.push({ kind: 'lost', what: `${path} ${inWords({ value, quality })}`, at })
    else if (one.value !== value || one.quality !== quality) {
      faults.push({ kind: 'changed', what: `${path} ${inWords({ value, quality })} is ${inWords(one)}`, at })
    }
  }
  for (const [at, one] of found) faults.push({ kind: 'changed', what: `${path} ${inWords(one)} was never sent`, at })
  return faults
}

/** A row of the alarm log; `point` is edge/device/alarm. */
export interface Logged {
  readonly seq: number
  readonly point: string
  readonly occurrence: string
  readonly transition: string
  readonly at: number
}

/** An occurrence as its table has it. */
export interface Occurred {
  readonly id: string
  readonly point: string
  readonly count: number
  readonly returnedAt: number | null
}

/** Compares the log of one alarm point, in the order of its numbers, with what follows from the ledger. */
export function compareAlarm(point: string, expected: readonly Expected[], logged: readonly Logged[]): Fault[] {
  const faults: Fault[] = []
  const seen = new Set<string>()
  const rows = logged.filter(({ transition, at }) => {
    const key = `${transition} ${at}`
    if (seen.has(key)) faults.push({ kind: 'alarmTwice', what: `${point} ${key}`, at })
    const isNew = !seen.has(key)
    seen.add(key)
    return isNew
  })
  const isSame = (row: Logged, { transition, at }: Expected) => row.transition === transition && row.at === at
  let next = 0
  for (const one of expected) {
    const place = rows.findIndex((row, i) => i >= next && isSame(row, one))
    if (place < 0) {
      faults.push({ kind: 'alarmMissing', what: `${point} ${one.transition}`, at: one.at })
      continue
    }
    for (const row of rows.slice(next, place)) faults.push(wrong(row))
    next = place + 1
  }
  return [...faults, ...rows.slice(next).map(wrong)]
}

const wrong = ({ point, transition, at }: Logged): Fault => ({
  kind: 'alarmWrong',
  what: `${point} ${transition} follows from no sample`,
  at,
})

/** Nobody acknowledges in the benchmark, so each point has one occurrence, which counts its activations. */
export function compareOccurrences(
  point: string,
  expected: readonly Expected[],
  occurrences: readonly Occurred[],
): Fault[] {
  const count = expected.filter(({ transition }) => transition === 'activated').length
  const returnedAt = expected.findLast(({ transition }) => transition === 'returned')?.at ?? null
  const isRight =
    count === 0
      ? occurrences.length === 0
      : occurrences.length === 1 && occurrences[0]?.count === count && occurrences[0].returnedAt === returnedAt
  const has = occurrences.map((one) => `${one.id} × ${one.count}, returned at ${one.returnedAt}`).join('; ')
  const what = `${point} has ${has || 'none'}; ledger: ${count} activations, returned at ${returnedAt}`
  return isRight ? [] : [{ kind: 'occurrenceWrong', what }]
}

/** The numbers of an organisation's log run from 1 without a gap. */
export function compareNumbers(numbers: readonly number[]): Fault[] {
  const inOrder = numbers.toSorted((a, b) => a - b)
  const hole = inOrder.findIndex((seq, i) => seq !== i + 1)
  return hole < 0 ? [] : [{ kind: 'logHole', what: `the alarm log has ${inOrder[hole]} in place of ${hole + 1}` }]
}

/** An incident with the calls that were made for it. */
export interface Called {
  readonly incident: string
  /** edge/device of the alarm that opened it */
  readonly device: string
  /** First calls of a crew, and inbox items of them. */
  readonly pages: number
  readonly inboxItems: number
}

/** Each machine that failed, with the time, must have one incident and one page of it. */
export function comparePages(failed: ReadonlyMap<string, number>, called: readonly Called[]): Fault[] {
  const faults: Fault[] = []
  for (const [device, at] of failed) {
    const own = called.filter((one) => one.device === device)
    if (own.length === 0) faults.push({ kind: 'incidentMissing', what: device, at })
    if (own.length > 1) faults.push({ kind: 'incidentTwice', what: `${device}: ${own.length} incidents`, at })
    const pages = own.reduce((sum, one) => sum + one.pages, 0)
    const items = own.reduce((sum, one) => sum + one.inboxItems, 0)
    const what = `${device}: ${pages} pages, ${items} in the inbox`
    if (pages < 1 || items < 1) faults.push({ kind: 'pageMissed', what, at })
    if (pages > 1 || items > 1) faults.push({ kind: 'pageTwice', what, at })
  }
  for (const { incident, device } of called) {
    if (!failed.has(device)) faults.push({ kind: 'pageTwice', what: `${incident}: ${device} never failed` })
  }
  return faults
}
