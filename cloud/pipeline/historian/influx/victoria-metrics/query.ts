import type { Connection } from '../connection.ts'
import { byDevice, chunks, type DeviceTags, type TagSet } from '../labels.ts'

/** Metrics that VictoriaMetrics makes of the measurement's fields. */
export type Metric = 'tag_value' | 'tag_quality'

/** One series of an answer; times in seconds. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly (readonly [number, string])[]
}

const TAGS_IN_A_FILTER = 100
/** The server's limit for a query is 16 KiB unless told. */
const LONGEST_QUERY = 12_000

/** Filters that together name all the tags, as `{group="…",edge="…",device="…",tag=~"…|…"}`. */
const filtersOf = (tags: TagSet): string[] => byDevice(tags, TAGS_IN_A_FILTER).map(filterOf)

function filterOf({ group, edge, device, names }: DeviceTags): string {
  const [first = ''] = names
  const tag =
    names.length === 1 ? `tag=${quoted(first)}` : `tag=~${quoted(names.map((name) => escapeRegex(name)).join('|'))}`
  return `{group=${quoted(group)},edge=${quoted(edge)},device=${quoted(device)},${tag}}`
}

/** Go reads the escapes of a JSON string. */
const quoted = (text: string) => JSON.stringify(text)
const escapeRegex = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

/** Several queries as one: the server answers their series side by side. */
export function unions(tags: TagSet, expression: (filter: string) => string): string[] {
  const parts = filtersOf(tags).map(expression)
  const longest = Math.max(1, ...parts.map((part) => part.length))
  const most = Math.max(1, Math.floor(LONGEST_QUERY / (longest + 2)))
  return chunks(parts, most).map((some) => (some.length === 1 ? (some[0] ?? '') : `(${some.join(', ')})`))
}

/** Selectors of exactly one metric for the export. */
export const selectors = (metric: Metric, tags: TagSet): string[] => filtersOf(tags).map((filter) => metric + filter)

interface Answer {
  readonly data?: { readonly result?: readonly (Series & { readonly value?: readonly [number, string] })[] }
}

/** Grid of a range query: the times at which windows end, in ms, the last one included. */
export interface Grid {
  readonly firstEnd: number
  readonly lastEnd: number
  readonly stepMs: number
}

const seconds = (ms: number) => String(ms / 1000)

/** Evaluates an expression at each time of the grid; times in the answer are seconds. */
export async function queryRange(connection: Connection, query: string, grid: Grid): Promise<readonly Series[]> {
  const { firstEnd, lastEnd, stepMs } = grid
  const form = { query, start: seconds(firstEnd), end: seconds(lastEnd), step: `${stepMs}ms`, nocache: '1' }
  const answer = JSON.parse((await connection.ask('/api/v1/query_range', form)).toString()) as Answer
  return answer.data?.result ?? []
}

/** Evaluates an expression at one time in ms. */
export async function queryAt(connection: Connection, query: string, at: number): Promise<readonly Series[]> {
  const form = { query, time: seconds(at), nocache: '1' }
  const answer = JSON.parse((await connection.ask('/api/v1/query', form)).toString()) as Answer
  return (answer.data?.result ?? []).map(({ metric, value }) => ({ metric, values: value ? [value] : [] }))
}
