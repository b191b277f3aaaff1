import { packBits, unpackBits } from './bits.ts'
import { type ByteSink, ByteSource } from './byte-sink.ts'

/** Entries beyond which a dictionary saves nothing over plain values. */
const MOST_ENTRIES = 32_768
const SLOTS = 131_072
/** A run of equal values this long is told once. */
const LEAST_RUN = 16

/** Different doubles of a row group, by their bits, so that every NaN and −0 survives. */
export class DoubleDictionary {
  readonly #slots = new Int32Array(SLOTS)
  readonly #used = new Int32Array(MOST_ENTRIES)
  readonly #entries = new Float64Array(MOST_ENTRIES)
  readonly #entryBits = new Uint32Array(this.#entries.buffer)
  #indices = new Int32Array(0)
  #count = 0

  /** The different values, in order of first sight. */
  get entries(): Float64Array {
    return this.#entries.subarray(0, this.#count)
  }

  /** Which entry each value is. */
  get indices(): Int32Array {
    return this.#indices
  }

  /** Takes in the values; false when they differ too much for a dictionary. */
  fill(values: Float64Array): boolean {
    for (let i = 0; i < this.#count; i++) this.#slots[this.#used[i] as number] = 0
    this.#count = 0
    if (this.#indices.length !== values.length) this.#indices = new Int32Array(values.length)
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length * 2)
    const most = Math.min(MOST_ENTRIES, Math.max(256, values.length >> 1))
    let [low, high, index] = [-1, -1, -1]
    for (let i = 0; i < values.length; i++) {
      if (bits[2 * i] !== low || bits[2 * i + 1] !== high || index < 0) {
        low = bits[2 * i] as number
        high = bits[2 * i + 1] as number
        index = this.#find(low, high, most)
        if (index < 0) return false
      }
      this.#indices[i] = index
    }
    return true
  }

  /** Number of the entry, added when it is new; −1 when the dictionary is full. */
  #find(low: number, high: number, most: number): number {
    const bits = this.#entryBits
    let slot = (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca77)) >>> 15
    for (;;) {
      const index = (this.#slots[slot] as number) - 1
      if (index < 0) break
      if (bits[2 * index] === low && bits[2 * index + 1] === high) return index
      slot = (slot + 1) & (SLOTS - 1)
    }
    if (this.#count === most) return -1
    const index = this.#count++
    bits[2 * index] = low
    bits[2 * index + 1] = high
    this.#used[index] = slot
    this.#slots[slot] = index + 1
    return index
  }
}

// Parquet's RLE / bit-packing hybrid: runs of one value, and groups of 8 packed values between them.

/** Writes indices of `width` bits as runs and packed groups, after a byte that tells the width. */
export function encodeIndices(indices: Int32Array, width: number, sink: ByteSink): void {
  sink.byte(width)
  let packedFrom = 0
  for (let i = 0; i < indices.length; ) {
    let end = i + 1
    while (end < indices.length && indices[end] === indices[i]) end++
    // A packed stretch must be a multiple of 8, so it takes the first of the run where needed.
    const start = i + ((8 - ((i - packedFrom) & 7)) & 7)
    if (end - start >= LEAST_RUN) {
      packGroups(indices, packedFrom, start, { width, sink })
      sink.varint((end - start) * 2)
      for (let shift = 0; shift < width; shift += 8) sink.byte(((indices[i] as number) >>> shift) & 0xff)
      packedFrom = end
    }
    i = end
  }
  packGroups(indices, packedFrom, indices.length, { width, sink })
}

const padded = new Int32Array(8)

function packGroups(
  indices: Int32Array,
  from: number,
  to: number,
  packing: { readonly width: number; readonly sink: ByteSink },
): void {
  if (to === from) return
  const groups = Math.ceil((to - from) / 8)
  packing.sink.varint(groups * 2 + 1)
  const whole = (to - from) & ~7
  if (whole > 0) packBits(indices, from, whole, packing)
  if (from + whole === to) return
  padded.fill(0)
  padded.set(indices.subarray(from + whole, to))
  packBits(padded, 0, 8, packing)
}

/** Reads as many indices as `into` has room for, from the one numbered `from` on, and puts the entries they name into it. */
export function decodeIndexed(
  bytes: Uint8Array,
  { entries, from }: { readonly entries: Float64Array; readonly from: number },
  into: Float64Array,
): void {
  const width = bytes[0] as number
  const source = new ByteSource(bytes, 1)
  const to = from + into.length
  for (let at = 0; at < to; ) {
    const header = source.varint()
    const isRun = header % 2 === 0
    const count = isRun ? header / 2 : (header - 1) * 4
    const [first, last] = [Math.max(at, from), Math.min(at + count, to)]
    if (isRun) fillRun(entries[fixed(source, width)] as number, first - from, last - from, into)
    else {
      if (first < last)
        unpackEntries(source, { width, entries, skip: first - at }, into.subarray(first - from, last - from))
      source.at += (count / 8) * width
    }
    at += count
  }
}

function fillRun(value: number, from: number, to: number, into: Float64Array): void {
  if (from < to) into.fill(value, from, to)
}

interface Packed {
  readonly width: number
  readonly entries: Float64Array
  /** Values of the stretch that are not wanted. */
  readonly skip: number
}

function unpackEntries(source: ByteSource, { width, entries, skip }: Packed, into: Float64Array): void {
  // Eight values end at a whole byte, so a stretch can be entered at any eighth.
  const before = skip & 7
  const indices = before === 0 ? into : new Float64Array(into.length + before)
  unpackBits(source.bytes, source.at + (skip >> 3) * width, width, indices)
  for (let i = 0; i < into.length; i++) into[i] = entries[indices[i + before] as number] as number
}

function fixed(source: ByteSource, width: number): number {
  let value = 0
  for (let shift = 0; shift < width; shift += 8) value |= source.byte() << shift
  return value
}
