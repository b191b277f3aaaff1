import type { BucketColumns, BucketRequest, LastValue, RawColumns, RawRequest } from '../historian.ts'
import type { HistoryEngine } from '../history-engine.ts'
import type { TagSet } from './labels.ts'

/** What an engine was found to be at the start, and how it is spoken to. All times in ms since 1970. */
export interface Engine {
  readonly facts: HistoryEngine
  /** Where line protocol goes, with precision ms. */
  readonly writePath: string
  /** How far into the future it takes a value; Infinity when it takes any. */
  readonly mostAheadMs: number
  /** Resolves when everything that was confirmed so far outlives a crash of the server. */
  persist(): Promise<void>
  buckets(request: BucketRequest, tags: TagSet): Promise<BucketColumns>
  /** `tags` holds the one tag of the request. */
  raw(request: RawRequest, tags: TagSet): Promise<RawColumns>
  last(tags: TagSet, before: number): Promise<LastValue[]>
}

/** The server is not as it must be, or does not answer; the message says what to change. */
export class EngineRefusal extends Error {
  override readonly name = 'EngineRefusal'
}
