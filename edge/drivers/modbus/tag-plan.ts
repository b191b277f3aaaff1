import type { ModbusAddress, Span } from './address.ts'
import type { Holes } from './holes.ts'
import { readRequest } from './pdu.ts'
import { type Block, blockOf, type PlanLimits, planReads, spanKey } from './plan.ts'

/** A span with its place on the shelf. */
export interface NumberedSpan extends Span {
  readonly number: number
}

/** A request with what is known of it from turn to turn. */
export interface PlannedBlock extends Block<NumberedSpan> {
  readonly pdu: Buffer
  /** Asks for a span that the device has refused before. */
  readonly isProbe: boolean
  /** Left alone until then (ms since 1970), because of an exception. */
  pausedUntil: number
  pauseMs: number
  fault: string
}

/** What the device gave in a turn, by number of span: one shelf is filled again and again. */
export interface Shelf {
  /** Data bytes of the reply that holds the span. */
  readonly replies: (Buffer | undefined)[]
  /** Registers, or bits in the bit areas, in front of the span in that reply. */
  readonly offsets: Int32Array
  /** ms since 1970. */
  readonly at: Float64Array
  /** Why there is no reply. */
  readonly faults: (string | undefined)[]
}

/** Where a tag's value and its power of ten stand on the shelf. */
export interface PlacedTag {
  readonly tag: string
  readonly address: ModbusAddress
  readonly number: number
  readonly factor: number | undefined
}

/** Everything that reading a set of tags needs, worked out once and again only when a refusal changes it. */
export interface TagPlan {
  readonly version: number
  readonly tags: readonly PlacedTag[]
  readonly spans: readonly NumberedSpan[]
  /** Those of the spans that the device refuses, whole or in part: no block holds them. */
  readonly refused: readonly NumberedSpan[]
  readonly blocks: readonly PlannedBlock[]
  readonly shelf: Shelf
}

/** The tags of a set, each with the spans that it needs, numbered: the same for all devices of a profile. */
export interface Placed {
  readonly tags: readonly PlacedTag[]
  readonly spans: readonly NumberedSpan[]
}

/** Numbers the spans of a set of tags. */
export function placeTags(tags: ReadonlyMap<string, ModbusAddress>): Placed {
  const numbered = new Map<string, NumberedSpan>()
  const numberOf = (span: Span): number => {
    const known = numbered.get(spanKey(span)) ?? { ...span, number: numbered.size }
    numbered.set(spanKey(span), known)
    return known.number
  }
  const placed = [...tags].map(([tag, address]): PlacedTag => {
    const factor = address.scaleFactor && numberOf(address.scaleFactor)
    return { tag, address, number: numberOf(address.span), factor }
  })
  return { tags: placed, spans: [...numbered.values()] }
}

/** Plans a set of tags around what the device refuses. */
export function planTags(
  { tags, spans }: Placed,
  holes: Holes,
  limits: Pick<PlanLimits, 'maxGap' | 'maxBlock' | 'bitsFromZero' | 'forbidden'>,
): TagPlan {
  const isRefused = (span: Span) => holes.reasonOf(span) !== undefined
  const [wanted, refused] = [spans.filter((span) => !isRefused(span)), spans.filter(isRefused)]
  const blocks = planReads(wanted, { ...limits, holes: holes.spans(), cuts: holes.cuts })
  const shelf = newShelf(spans.length)
  return { version: holes.version, tags, spans, refused, blocks: blocks.map(planned), shelf }
}

/** The blocks of a turn: those of the plan, and a few spans that were refused and may be given again. */
export function blocksOf(plan: TagPlan, holes: Holes, now: number): readonly PlannedBlock[] {
  const due = holes.due(plan.refused, now)
  if (due.length === 0) return plan.blocks
  return [...plan.blocks, ...due.map((span) => ({ ...planned(blockOf(span)), isProbe: true }))]
}

/** A block that no turn has asked for yet. */
export const planned = (block: Block<NumberedSpan>): PlannedBlock => ({
  ...block,
  pdu: readRequest(block.area, block.start, block.count),
  isProbe: false,
  pausedUntil: 0,
  pauseMs: 0,
  fault: '',
})

const newShelf = (size: number): Shelf => ({
  replies: new Array(size).fill(undefined),
  offsets: new Int32Array(size),
  at: new Float64Array(size),
  faults: new Array(size).fill(undefined),
})
