import type { Columns } from './columns.ts'
import { Packer } from './columns.ts'
import type { HistoryRange, OpcuaSession } from './connection.ts'
import { rawOf, sampleOf, type WireValue } from './decode.ts'
import { chunks } from './plan.ts'

/** A stretch of time of a tag of which something may be missing; bounds excluded, source times in ms. */
export interface TagRange extends HistoryRange {
  readonly index: number
}

/** Rows that travel to the agent in one message. */
const MOST_ROWS = 10_000
/** Nodes whose access level is asked in one request. */
const MOST_NODES = 100

/**
 * Reads what the server's history has of these stretches, one node after the other, and hands it over in pieces. Resolves with
 * the tags of which it gave nothing because it keeps none or refuses. Rejects when the session ends meanwhile.
 */
export async function readBack(
  session: Pick<OpcuaSession, 'withHistory' | 'readHistory'>,
  ranges: readonly TagRange[],
  give: (columns: Columns) => void,
): Promise<number[]> {
  const packer = new Packer()
  const unfilled: number[] = []
  for (const some of chunks(ranges, MOST_NODES)) {
    const kept = await session.withHistory(some.map(({ nodeId }) => nodeId))
    for (const [i, range] of some.entries()) {
      const isFilled = kept[i] === true && (await readRange(session, range, { packer, give }))
      if (!isFilled) unfilled.push(range.index)
    }
  }
  if (packer.size > 0) give(packer.take())
  return unfilled
}

/** A server may return the bounds, which were received live. */
function pack(packer: Packer, { index, from, to }: TagRange, value: WireValue): void {
  const sample = sampleOf('', rawOf(value), Number.NaN)
  if (sample.sourceAt > from && sample.sourceAt < to) packer.add(index, sample)
}

interface Taker {
  readonly packer: Packer
  readonly give: (columns: Columns) => void
}

async function readRange(
  session: Pick<OpcuaSession, 'readHistory'>,
  range: TagRange,
  { packer, give }: Taker,
): Promise<boolean> {
  let next: Buffer | undefined
  do {
    const page = await session.readHistory(range, next)
    if (page.refused !== undefined) return false
    for (const value of page.values) pack(packer, range, value)
    if (packer.size >= MOST_ROWS) give(packer.take())
    next = page.next
  } while (next)
  return true
}
