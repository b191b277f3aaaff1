import { type Area, isBitArea, type Span, touches } from './address.ts'

/** One request: neighbouring spans read together. */
export interface Block<S extends Span = Span> {
  readonly area: Area
  readonly start: number
  /** Registers, or bits in the bit areas. */
  readonly count: number
  /** In rising order of address; each lies wholly inside the block. */
  readonly spans: readonly S[]
}

export interface PlanLimits {
  /** Unwanted registers or bits that may be read along between two wanted ones. */
  readonly maxGap: number
  /** Most registers of a request; bits may be 16 times as many, at most 2000. */
  readonly maxBlock: number
  /** Spans that the device refused: no block may touch one of their registers. */
  readonly holes?: readonly Span[]
  /** Spans that nobody may read: no block may touch one of their registers either. */
  readonly forbidden?: readonly Span[]
  /** Places (`area:address`) in front of which a block must end, because the device refuses to be read across them. */
  readonly cuts?: ReadonlySet<string>
  /** Blocks of bits begin at address 0, whatever is wanted of them. */
  readonly bitsFromZero?: boolean
}

const MAX_REGISTERS = 125
const MAX_BITS = 2000

/** Names a place so that it can be kept in a set. */
export const placeOf = (area: Area, address: number): string => `${area}:${address}`

/** Names a span; equal spans have equal keys. */
export const spanKey = ({ area, start, width }: Span): string => `${area}:${start}+${width}`

/** Puts spans into as few requests as the limits allow. Every span is in exactly one block and whole; equal spans count once. */
export function planReads<S extends Span>(spans: readonly S[], limits: PlanLimits): Block<S>[] {
  const around = { ...limits, isBarred: barrier(limits) }
  const unique = [...new Map(spans.map((span) => [spanKey(span), span])).values()]
  const sorted = unique.sort((a, b) => a.area.localeCompare(b.area) || a.start - b.start || a.width - b.width)
  const blocks: Growing<S>[] = []
  for (const span of sorted) {
    const last = blocks.at(-1)
    const count = last && countWith(last, span, around)
    if (last === undefined || count === undefined) blocks.push(firstBlock(span, around))
    else {
      last.count = count
      last.spans.push(span)
    }
  }
  return blocks
}

interface Around extends PlanLimits {
  /** True for a register or bit that no block may touch. */
  readonly isBarred: (area: Area, address: number) => boolean
}

/** Holes are many and narrow, forbidden ranges few and perhaps wide. */
function barrier({ holes = [], forbidden = [] }: PlanLimits): Around['isBarred'] {
  const refused = new Set(holes.flatMap(placesOf))
  return (area, start) =>
    refused.has(placeOf(area, start)) || forbidden.some((span) => touches(span, { area, start, width: 1 }))
}

/** From 0 on where the device wants that, and something barred does not lie between. */
function firstBlock<S extends Span>(span: S, { bitsFromZero, isBarred }: Around): Growing<S> {
  let { start } = span
  while (bitsFromZero && isBitArea(span.area) && start > 0 && !isBarred(span.area, start - 1)) start--
  return { ...blockOf(span), start, count: span.start + span.width - start }
}

interface Growing<S extends Span> extends Block<S> {
  count: number
  readonly spans: S[]
}

/** A block of one span. */
export const blockOf = <S extends Span>(span: S): Growing<S> => ({
  area: span.area,
  start: span.start,
  count: span.width,
  spans: [span],
})

/** Size of the block when it takes the span in; undefined when it may not. */
function countWith(block: Block, span: Span, limits: Around): number | undefined {
  if (block.area !== span.area) return undefined
  const end = block.start + block.count
  const count = Math.max(end, span.start + span.width) - block.start
  const gap = span.start - end
  if (gap > limits.maxGap || count > sizeLimit(block.area, limits.maxBlock)) return undefined
  for (let address = end; address <= span.start; address++) {
    if (limits.cuts?.has(placeOf(span.area, address))) return undefined
    if (address < span.start && limits.isBarred(span.area, address)) return undefined
  }
  return count
}

/** Two halves of a block of several spans, each no larger than its spans need. */
export function halves<S extends Span>({ spans }: Block<S>): readonly [Block<S>, Block<S>] {
  const middle = spans.length >> 1
  return [tight(spans.slice(0, middle)), tight(spans.slice(middle))]
}

/** The smallest block around spans of one area. */
function tight<S extends Span>(spans: readonly S[]): Block<S> {
  const start = Math.min(...spans.map((span) => span.start))
  const end = Math.max(...spans.map((span) => span.start + span.width))
  return { area: spans[0]?.area ?? 'holding', start, count: end - start, spans }
}

function sizeLimit(area: Area, maxBlock: number): number {
  return isBitArea(area) ? Math.min(MAX_BITS, maxBlock * 16) : Math.min(MAX_REGISTERS, maxBlock)
}

function placesOf({ area, start, width }: Span): string[] {
  return Array.from({ length: width }, (_, i) => placeOf(area, start + i))
}
