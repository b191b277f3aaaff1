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

/** What feeds write to: bytes that wait tell a slow reader. */
export interface Outlet {
  send(message: object): void
  /** The same for a message that is JSON already, because many get it. */
  sendText(text: string): void
  waitingBytes(): number
}
