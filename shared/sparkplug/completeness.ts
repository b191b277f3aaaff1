import { FIRST_OFFSET, LAST_OFFSET, OFFSET_PROPERTY } from './metric-names.ts'
import { type Alias, type Payload, PayloadError } from './payload.ts'

/** Aliases of the two offset metrics as the birth of this node or device gave them. */
export interface OffsetAliases {
  readonly first: Alias | undefined
  readonly last: Alias | undefined
}

/** Where the samples of a payload stand in the edge's journal. */
export interface PayloadOffsets {
  readonly first: bigint
  readonly last: bigint
  /** Number of sample metrics: those at index 0 to samples − 1. The two offset metrics follow them. */
  readonly samples: number
  /** True when the record was thinned: a gap record covers the offsets between its samples. */
  readonly isThinned: boolean
  /** Offset of the sample at a metric's index. */
  offsetAt(index: number): bigint
}

/**
 * Reads the journal offsets of an NDATA or DDATA payload; undefined when it carries no journal samples (a heartbeat, a
 * command's result, a third-party edge).
 * @throws PayloadError when they contradict the number or the order of the samples: the payload must be rejected.
 */
export function offsetsOf(payload: Payload, aliases: OffsetAliases): PayloadOffsets | undefined {
  const samples = payload.count - 2
  const is = (index: number, name: string, alias: Alias | undefined) =>
    payload.name(index) === name || (alias !== undefined && payload.alias(index) === alias)
  const isOffset = (index: number) => is(index, FIRST_OFFSET, aliases.first) || is(index, LAST_OFFSET, aliases.last)
  const stray = firstIndex(Math.max(0, samples), isOffset)
  if (stray >= 0) throw new PayloadError('The offset metrics are not the last two of the payload')
  if (samples < 0) return countOffsets(payload, isOffset)
  if (!is(samples, FIRST_OFFSET, aliases.first) || !is(samples + 1, LAST_OFFSET, aliases.last)) {
    return countOffsets(payload, isOffset)
  }
  return bounds(payload, samples)
}

function firstIndex(end: number, matches: (index: number) => boolean): number {
  for (let i = 0; i < end; i++) if (matches(i)) return i
  return -1
}

/** A payload without the pair is fine when it has neither of the two, and broken when it has one. */
function countOffsets(payload: Payload, isOffset: (index: number) => boolean): undefined {
  if (firstIndex(payload.count, isOffset) < 0) return undefined
  throw new PayloadError('One offset metric without the other')
}

function bounds(payload: Payload, samples: number): PayloadOffsets {
  const first = payload.valueAs(samples, 'uint64')
  const last = payload.valueAs(samples + 1, 'uint64')
  if (typeof first !== 'bigint' || typeof last !== 'bigint') throw new PayloadError('Offset metric without a value')
  if (samples === 0 || first < 1n || last < first) throw new PayloadError(`Offsets ${first} to ${last} hold no sample`)
  if (payload.property(0, OFFSET_PROPERTY)) return thinned(payload, samples, first, last)
  if (last - first + 1n !== BigInt(samples)) {
    throw new PayloadError(`Offsets ${first} to ${last} do not fit ${samples} samples`)
  }
  return { first, last, samples, isThinned: false, offsetAt: (index) => first + BigInt(index) }
}

function thinned(payload: Payload, samples: number, first: bigint, last: bigint): PayloadOffsets {
  const offsets: bigint[] = []
  let previous = first - 1n
  for (let i = 0; i < samples; i++) {
    const offset = payload.property(i, OFFSET_PROPERTY)?.value
    if (typeof offset !== 'bigint') throw new PayloadError('A thinned record has a sample without its offset')
    if (offset <= previous || offset > last) throw new PayloadError(`Offset ${offset} is out of order or of bounds`)
    offsets.push(offset)
    previous = offset
  }
  return { first, last, samples, isThinned: true, offsetAt: (index) => offsets[index] ?? first }
}
