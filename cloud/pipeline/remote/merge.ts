import type { BucketSeries, TagPage } from '../contract.ts'

const DEFAULT_LIMIT = 100

/** One page of several, each by path from the same place on and as long as was asked for. */
export function mergeTags(pages: readonly TagPage[], limit = DEFAULT_LIMIT): TagPage {
  const byPath = new Map(pages.flatMap(({ items }) => items).map((tag) => [tag.path, tag]))
  const items = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
  return { items: items.slice(0, limit), hasMore: items.length > limit || pages.some(({ hasMore }) => hasMore) }
}

/** Series in the order in which their tags were asked for. */
export function mergeBuckets(paths: readonly string[], parts: readonly (readonly BucketSeries[])[]): BucketSeries[] {
  const byPath = new Map(parts.flat().map((series) => [series.path, series]))
  return paths.flatMap((path) => byPath.get(path) ?? [])
}
