import type { HistoryReader, Pipeline } from '#cloud/pipeline/index.ts'
import { HistoryTimeoutError } from '#cloud/pipeline/index.ts'
import { DomainError } from '#cloud/platform/errors.ts'

/** A span of time in ms since 1970; `to` is exclusive. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** A tag of the asking organisation. */
export interface OwnTag {
  readonly path: string
  readonly unit: string | null
  readonly group: string
  readonly edge: string
  readonly device: string
}

/** Where a question carries its fields, for the pointers of faults. */
export type Place = '/query' | ''

/** @throws DomainError `history.empty-range`, which names `from`. */
export function spanOf({ from, to }: { readonly from: string; readonly to: string }, place: Place): Span {
  const span = { from: Date.parse(from), to: Date.parse(to) }
  if (span.from < span.to) return span
  throw faulty('history.empty-range', `${place}/from`, 'must lie before `to`')
}

/** A refusal that names the one field at fault. */
export const faulty = (code: string, path: string, message: string): DomainError =>
  new DomainError('invalid', code, `\`${path.split('/').at(-1)}\` ${message}`, [{ path, message }])

/** The tags in the order asked, each once. A tag of another organisation is as unknown as one that does not exist. */
export async function ownTags(
  pipeline: Pick<Pipeline, 'tag'>,
  org: string,
  paths: readonly string[],
  field: string,
): Promise<OwnTag[]> {
  const wanted = [...new Set(paths)]
  const found = await Promise.all(wanted.map((path) => pipeline.tag(path)))
  const faults = wanted.flatMap((path, index) =>
    found[index]?.org === org ? [] : [{ path: field, message: `There is no tag ${path}` }],
  )
  const [first] = faults
  if (first) throw new DomainError('not-found', 'tag.unknown', first.message, faults)
  return found.flatMap((tag) => tag ?? [])
}

/** Asks history; what outlasts its limit is refused with what to do. */
export async function inTime<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (cause) {
    if (!(cause instanceof HistoryTimeoutError)) throw cause
    const words = 'History took too long to answer. A shorter span or fewer tags answer sooner'
    throw new DomainError('unavailable', 'history.timeout', words)
  }
}

/** Gaps of the tags' devices, and of their whole edges, newest first. */
export async function gapsOf(history: Pick<HistoryReader, 'gaps'>, org: string, tags: readonly OwnTag[], span: Span) {
  const edges = Map.groupBy(tags, ({ group, edge }) => `${group}/${edge}`)
  const found = await Promise.all(
    [...edges.values()].map(async (own) => {
      const { group = '', edge = '' } = own[0] ?? {}
      const devices = new Set(own.map((tag) => tag.device))
      const gaps = await history.gaps({ org, group, edge, ...span, limit: MOST_GAPS })
      return gaps.filter((gap) => gap.device === null || devices.has(gap.device))
    }),
  )
  return found.flat().sort((a, b) => b.recordedAt - a.recordedAt)
}

const MOST_GAPS = 200
