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
  /** The newest values of those paths that are known. */
  present(paths: readonly string[]): Promise<readonly SourceValue[]>
  /** Calls with changed values; the listener must not block. Returns the end of it. */
  subscribe(paths: Iterable<string>, listener: (values: readonly SourceValue[]) => void): () => void
  organisationOf(path: string): Promise<string | undefined>
}

/** A source without tags, for a process that has no pipeline. */
export const noValues: ValueSource = {
  present: async () => [],
  subscribe: () => () => {},
  organisationOf: async () => undefined,
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
/** The source could not be asked; it is asked again after this time. */
const RETRY_MS = 1000
/** A reader with more than this waiting gets only the newest of each tag once it has caught up. */
const ENOUGH_BYTES = 256_000

/** Live values for one reader, conflated to the last one of each tag: memory is bounded by its tags. */
export interface ValueFeed {
  /** Replaces the tags; their present values are told as soon as the source has answered. */
  watch(paths: Iterable<string>): void
  close(): void
}

/** Makes the feed of one reader, who sees tags of his organisation alone. */
export function createValueFeed(source: ValueSource, org: string, outlet: Outlet): ValueFeed {
  const changed = new Map<string, SourceValue>()
  let timer: NodeJS.Timeout | undefined
  let stop = () => {}
  let again: NodeJS.Timeout | undefined
  let turn = 0

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

  /** Listens first, then asks for what is there, so that no change falls between. */
  async function begin(paths: readonly string[], own: number): Promise<void> {
    const owners = await Promise.all(paths.map((path) => source.organisationOf(path)))
    if (own !== turn) return
    const mine = paths.filter((_, index) => owners[index] === org)
    stop = source.subscribe(mine, hear)
    const present = await source.present(mine)
    if (own !== turn) return
    for (const value of present) if (!changed.has(value.path)) changed.set(value.path, value)
    clearTimeout(timer)
    flush()
  }

  function leave(): void {
    turn += 1
    stop()
    stop = () => {}
    clearTimeout(again)
    changed.clear()
  }

  function watch(paths: readonly string[]): void {
    leave()
    begin(paths, turn).catch(() => {
      again = setTimeout(() => watch(paths), RETRY_MS)
    })
  }

  return {
    watch: (paths) => watch([...new Set(paths)]),
    close() {
      leave()
      clearTimeout(timer)
    },
  }
}
