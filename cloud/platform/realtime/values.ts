import type { Quality, Scalar } from '#shared/contracts/sample.ts'
import type { LiveValue, WireQuality, WireValue } from '#shared/contracts/tag.ts'

/** The newest value of a tag as the pipeline tells it. Times in ms since 1970. */
export interface SourceValue {
  readonly path: string
  readonly value: Scalar
  readonly quality: Quality
  readonly sourceAt: number | null
  readonly isStale: boolean
}

/** Where live values come from: `pipeline.live`. */
export interface ValueSource {
  current(path: string): SourceValue | undefined
  /** Calls with the changed values of each message; the listener must not block. Returns the end of it. */
  subscribe(paths: Iterable<string>, listener: (values: readonly SourceValue[]) => void): () => void
  organisationOf(path: string): string | undefined
}

/** A source without tags, for a process that has no pipeline. */
export const noValues: ValueSource = {
  current: () => undefined,
  subscribe: () => () => {},
  organisationOf: () => undefined,
}

/** A value as it goes over the wire. */
export function liveValue({ path, value, quality, sourceAt, isStale }: SourceValue): LiveValue {
  return {
    path,
    value: wireValue(value),
    quality: isStale ? 'stale' : wireQuality(quality),
    sourceAt: sourceAt === null ? null : new Date(sourceAt).toISOString(),
  }
}

/** 64-bit integers beyond 2^53 go as decimal text, so that no digit is lost; what is no number goes as null. */
export function wireValue(value: Scalar): WireValue {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : String(value)
  }
  return typeof value === 'number' && !Number.isFinite(value) ? null : value
}

const WORDS: Readonly<Record<Quality, WireQuality>> = { 192: 'good', 64: 'uncertain', 0: 'bad' }

/** The word for a quality number. */
export const wireQuality = (quality: Quality): WireQuality => WORDS[quality]

/** What the feed writes to: bytes that wait tell a slow reader. */
export interface Outlet {
  send(message: object): void
  waitingBytes(): number
}

/** Changes within this time are told as one. */
const WINDOW_MS = 50
/** A reader with more than this waiting gets only the newest of each tag once it has caught up. */
const ENOUGH_BYTES = 256_000

/** Live values for one reader, conflated to the last one of each tag: memory is bounded by its tags. */
export interface ValueFeed {
  /** Replaces the tags; their present values are told at once. */
  watch(paths: Iterable<string>): void
  close(): void
}

/** Makes the feed of one reader, who sees tags of his organisation alone. */
export function createValueFeed(source: ValueSource, org: string, outlet: Outlet): ValueFeed {
  const changed = new Map<string, SourceValue>()
  let timer: NodeJS.Timeout | undefined
  let stop = () => {}

  function flush(): void {
    timer = undefined
    if (changed.size === 0) return
    if (outlet.waitingBytes() > ENOUGH_BYTES) {
      later()
      return
    }
    const items = [...changed.values()].map(liveValue)
    changed.clear()
    outlet.send({ type: 'values', items })
  }

  function later(): void {
    timer ??= setTimeout(flush, WINDOW_MS)
  }

  function hear(values: readonly SourceValue[]): void {
    for (const value of values) changed.set(value.path, value)
    later()
  }

  return {
    watch(paths) {
      stop()
      changed.clear()
      const own = [...new Set(paths)].filter((path) => source.organisationOf(path) === org)
      stop = source.subscribe(own, hear)
      const present = own.map((path) => source.current(path)).filter((value) => value !== undefined)
      for (const value of present) changed.set(value.path, value)
      clearTimeout(timer)
      flush()
    },
    close() {
      stop()
      clearTimeout(timer)
    },
  }
}
