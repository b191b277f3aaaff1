import { parentPort } from 'node:worker_threads'
import type { BucketRequest, RawRequest } from '../historian.ts'
import type { HistoryEngine } from '../history-engine.ts'
import { connectionTo } from './connection.ts'
import { detectEngine } from './detect.ts'
import type { Engine } from './engine.ts'
import { type TagLabels, type TagSet, tagSet } from './labels.ts'
import { linesOf, prefixes, type Refusal, type Values } from './lines.ts'

/** Where the engine is, as the settings say. */
export interface EngineSettings {
  readonly url: string
  readonly token: string | undefined
  readonly org: string
  readonly bucket: string
  /** A query is stopped after this time. */
  readonly queryLimitMs: number
}

type Tags = TagSet['tags']

/** What may be asked of the thread, argument and answer. `open` comes first. */
export interface Calls {
  open: { argument: EngineSettings; answer: HistoryEngine }
  /** `names` holds the labels of tags that were never written before. */
  write: { argument: { values: Values; names: readonly (readonly [number, TagLabels])[] }; answer: Refusal[] }
  buckets: { argument: { request: BucketRequest; tags: Tags }; answer: Awaited<ReturnType<Engine['buckets']>> }
  raw: { argument: { request: RawRequest; tags: Tags }; answer: Awaited<ReturnType<Engine['raw']>> }
  last: { argument: { tags: Tags; before: number }; answer: Awaited<ReturnType<Engine['last']>> }
  settle: { argument: undefined; answer: undefined }
}

export interface Request {
  readonly id: number
  readonly call: keyof Calls
  readonly argument: unknown
  /** ms since 1970, by the clock of whoever asks. */
  readonly at: number
}

export interface Reply {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly name: string; readonly message: string }
}

/** Values that are about to leave are not written any more: between our look and the engine's lies a little time. */
const RETENTION_MARGIN_MS = 60_000

let at = 0
let engine: Engine
const labels = new Map<number, TagLabels>()
const names = prefixes((key) => labels.get(key))

const calls: { [Call in keyof Calls]: (argument: Calls[Call]['argument']) => Promise<Calls[Call]['answer']> } = {
  async open({ url, token, org, bucket, queryLimitMs }) {
    const connection = connectionTo({ url, token, queryLimitMs })
    engine = await detectEngine({ connection, org, bucket, now: () => at })
    return engine.facts
  },
  async write({ values, names: added }) {
    for (const [key, tag] of added) labels.set(key, tag)
    const { pieces, refusals } = linesOf(values, names, rules())
    await engine.write(pieces)
    return [...refusals.values()]
  },
  buckets: ({ request, tags }) => engine.buckets(request, tagSet(tags)),
  raw: ({ request, tags }) => engine.raw(request, tagSet(tags)),
  last: ({ tags, before }) => engine.last(tagSet(tags), before),
  async settle() {
    await engine.settle()
    return undefined
  },
}

function rules() {
  const { keepsText, retentionMs } = engine.facts
  const oldest = retentionMs === null ? Number.NEGATIVE_INFINITY : at - retentionMs + RETENTION_MARGIN_MS
  return { keepsText, oldest, newest: at + engine.mostAheadMs }
}

/** Buffers that can move to the other thread instead of being copied. */
function buffersOf(result: unknown): ArrayBuffer[] {
  if (typeof result !== 'object' || result === null) return []
  return Object.values(result).flatMap((value) => (value instanceof Float64Array ? [value.buffer as ArrayBuffer] : []))
}

parentPort?.on('message', async ({ id, call, argument, at: now }: Request) => {
  at = now
  try {
    const result = await calls[call](argument as never)
    parentPort?.postMessage({ id, result } satisfies Reply, buffersOf(result))
  } catch (error) {
    const { name, message } = error as Error
    parentPort?.postMessage({ id, error: { name, message } } satisfies Reply)
  }
})
