import type { GapRecord } from '#shared/contracts/gap.ts'
import { gap, gapSample, type Parts } from './parts.ts'
import { recordsOf } from './reading.ts'

/** An unclean stop moves the next offset this far on, so that a disk that lied about a flush never makes one offset mean two samples. */
const UNCLEAN_JUMP = 1n << 32n
/** How far back the last samples of tags are looked up at start: more than the 2 s in which a source time can repeat. */
const REMEMBERED_OFFSETS = 20_000n

/** Finds the place to go on from, and journals what an unclean stop or a damaged file has cost. */
export function resume(parts: Parts): void {
  const { store, registry, clock, log } = parts
  const lost = store.damaged
  const lastDamaged = lost.at(-1)
  const isTailLost = lastDamaged !== undefined && lastDamaged.first > store.newest
  const base = [store.newest, parts.acknowledged, ...(isTailLost ? [lastDamaged.first - 1n] : [])].reduce(max)
  const isUnclean = !registry.wasClosed || isTailLost
  const next = base + 1n + (isUnclean ? UNCLEAN_JUMP : 0n)
  const newestAt = store.segments.at(-1)?.newestAt ?? null
  rememberLast(parts)
  store.begin(next, clock.now())
  const gaps: GapRecord[] = lost
    .filter(({ first, last }) => last >= first && last > parts.acknowledged)
    .map(({ first, last }) => gap({ first, last, count: Number(last - first + 1n) }, 'corrupt', null, null))
  if (isUnclean) {
    const cause = isTailLost ? 'corrupt' : 'unclean-stop'
    gaps.push(gap({ first: base + 1n, last: next - 1n, count: 0 }, cause, newestAt, clock.now()))
    log.warn({ next: String(next), cause }, 'The last stop was unclean, offsets jump ahead')
  }
  if (gaps.length > 0) parts.writer.commitNow([{ class: 'gap', samples: gaps.map((each) => gapSample(parts, each)) }])
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)

function rememberLast(parts: Parts): void {
  const { store, identity } = parts
  const from = store.newest - REMEMBERED_OFFSETS
  for (const row of store.rows(from > 0n ? from : 1n, Number(REMEMBERED_OFFSETS), false).reverse()) {
    for (const { samples } of recordsOf(parts, row)?.reverse() ?? []) {
      for (const sample of samples.toReversed()) identity.remember(sample)
    }
  }
}
