import { UNCERTAIN } from '#shared/contracts/sample.ts'
import { type Columns, Packer } from './columns.ts'
import type { Change } from './connection.ts'
import { isOverflow, rawOf, sampleOf } from './decode.ts'

/** Values lost in queues of the server since the last time that it was told. */
export interface Overflow {
  readonly from: number
  readonly to: number
  readonly count: number
}

export interface ReportListener {
  onSamples(columns: Columns, isFirst: boolean): void
  onOverflow(overflow: Overflow): void
}

/** Gathers what comes in one turn into one report; holds a first one back until every tag has said something. */
export interface Report {
  /** The subscriptions are made now: the next report is a first one. */
  expect(tags: number): void
  changes(changes: readonly Change[]): void
  refused(tag: number, reason: string): void
  /** Tells what has gathered at once, unless a first report waits. */
  flush(): void
  end(): void
}

/** How long a first report waits for the slowest value, in ms. */
const FIRST_VALUES_MS = 1000
/** Overflows are told together, at most this often: a queue that runs over once does it again. */
const OVERFLOW_EVERY_MS = 2000
/** Built-in types that come as a plain number: SByte to UInt32, Float, Double; 64-bit integers come in halves. */
const isPlainNumber = (dataType: number) => dataType >= 2 && dataType <= 11 && dataType !== 8 && dataType !== 9

/** A hot path: `andon bench edge-opcua`. */
export function createReport(listener: ReportListener, now: () => number): Report {
  const packer = new Packer()
  const awaited = new Set<number>()
  const overflows = createOverflows(listener)
  let isFirst = false
  let isPlanned = false
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    clearTimeout(timer)
    isPlanned = false
    if (packer.size === 0 && !isFirst) return
    listener.onSamples(packer.take(), isFirst)
    isFirst = false
  }
  const plan = () => {
    if (isFirst && awaited.size > 0) return
    if (!isPlanned) setImmediate(flush)
    isPlanned = true
  }
  const change = ({ clientHandle, value }: Change) => {
    const plain = value.value
    const at = value.sourceTimestamp
    if (value.statusCode.value === 0 && plain?.arrayType === 0 && at && isPlainNumber(plain.dataType))
      packer.addNumber(clientHandle, plain.value as number, at.getTime())
    else {
      const raw = rawOf(value)
      const sample = sampleOf('', raw, now())
      packer.add(clientHandle, sample)
      if (sample.quality === UNCERTAIN && isOverflow(raw.status)) overflows.add(clientHandle, sample.sourceAt)
    }
    overflows.seen(clientHandle, at)
  }
  return {
    expect(tags) {
      if (!isFirst) flush()
      for (let tag = 0; tag < tags; tag++) awaited.add(tag)
      isFirst = true
      timer = setTimeout(flush, FIRST_VALUES_MS)
    },
    changes(changes) {
      for (const one of changes) {
        change(one)
        if (isFirst) awaited.delete(one.clientHandle)
      }
      plan()
    },
    refused(tag, reason) {
      packer.addRefusal(tag, reason, now())
      awaited.delete(tag)
      plan()
    },
    flush: () => {
      if (!isFirst) flush()
    },
    end() {
      clearTimeout(timer)
      overflows.end()
    },
  }
}

/** Remembers when each tag was last seen, so that an overflow has a beginning. */
function createOverflows(listener: ReportListener) {
  const lastAt: number[] = []
  let pending: Overflow | undefined
  let timer: NodeJS.Timeout | undefined
  const tell = () => {
    timer = undefined
    if (pending) listener.onOverflow(pending)
    pending = undefined
  }
  return {
    seen(tag: number, at: Date | null | undefined) {
      if (at) lastAt[tag] = at.getTime()
    },
    add(tag: number, at: number) {
      const from = lastAt[tag] ?? at
      pending = pending
        ? { from: Math.min(pending.from, from), to: Math.max(pending.to, at), count: pending.count + 1 }
        : { from, to: at, count: 1 }
      timer ??= setTimeout(tell, OVERFLOW_EVERY_MS)
    },
    end() {
      clearTimeout(timer)
      tell()
    },
  }
}
