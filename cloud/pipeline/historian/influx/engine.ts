import type { BucketColumns, BucketRequest, LastValue, RawColumns, RawRequest } from '../historian.ts'
import type { HistoryEngine } from '../history-engine.ts'
import type { TagSet } from './labels.ts'

/** What an engine was found to be at the start, and how it is spoken to. All times in ms since 1970. */
export interface Engine {
  readonly facts: HistoryEngine
  /** How far into the future it takes a value; Infinity when it takes any. */
  readonly mostAheadMs: number
  /** Writes pieces of line protocol; resolves when all are confirmed and outlive a crash of the server. */
  write(pieces: Iterable<string>): Promise<void>
  /** Called before the end: makes good what a crash of the server may have taken since the last write. */
  settle(): Promise<void>
  buckets(request: BucketRequest, tags: TagSet): Promise<BucketColumns>
  /** `tags` holds the one tag of the request. */
  raw(request: RawRequest, tags: TagSet): Promise<RawColumns>
  last(tags: TagSet, before: number): Promise<LastValue[]>
}

/** The server is not as it must be, or does not answer; the message says what to change. */
export class EngineRefusal extends Error {
  override readonly name = 'EngineRefusal'
}
