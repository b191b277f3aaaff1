import type { ByteSink } from './byte-sink.ts'
import type { Column } from './schema.ts'

const TWO_32 = 2 ** 32

/** Bits that a whole number from 0 to 2^53 needs. */
export const bitsOf = (value: number): number =>
  value < TWO_32 ? 32 - Math.clz32(value) : 64 - Math.clz32(Math.floor(value / TWO_32))

/** Packs `count` (a multiple of 8) whole numbers of `width` bits, lowest bit first, as Parquet does. */
export function packBits(values: Column, from: number, count: number, { width, sink }: Packing): void {
  sink.reserve((count * width) / 8 + 8)
  if (width > 32) {
    packWide(values, from, count, { width, sink })
    return
  }
  const { bytes } = sink
  let at = sink.length
  let held = 0
  let bits = 0
  for (let i = from; i < from + count; i++) {
    const value = (values[i] as number) >>> 0
    const room = 32 - bits
    held |= value << bits
    if (width < room) {
      bits += width
      continue
    }
    bytes[at] = held
    bytes[at + 1] = held >>> 8
    bytes[at + 2] = held >>> 16
    bytes[at + 3] = held >>> 24
    at += 4
    held = room === 32 ? 0 : value >>> room
    bits = width - room
  }
  for (; bits > 0; bits -= 8) {
    bytes[at++] = held
    held >>>= 8
  }
  sink.length = at
}

interface Packing {
  readonly width: number
  readonly sink: ByteSink
}

/** The rare case: a column whose steps need more than 32 bits. */
function packWide(values: Column, from: number, count: number, { width, sink }: Packing): void {
  let held = 0n
  let bits = 0
  for (let i = from; i < from + count; i++) {
    held |= BigInt(values[i] as number) << BigInt(bits)
    for (bits += width; bits >= 8; bits -= 8) {
      sink.byte(Number(held & 0xffn))
      held >>= 8n
    }
  }
}

/** Unpacks `count` whole numbers of `width` bits that begin at byte `at` into the start of `into`. */
export function unpackBits(bytes: Uint8Array, at: number, width: number, into: Float64Array | Int32Array): void {
  if (width === 0) {
    into.fill(0)
    return
  }
  if (width > 32) {
    unpackWide(bytes, at, width, into)
    return
  }
  const mask = width === 32 ? 0xffffffff : (1 << width) - 1
  for (let i = 0, bit = at * 8; i < into.length; i++, bit += width) {
    // A byte's number in bits passes 2^31 in no file: a page is far smaller.
    const byte = bit >>> 3
    const shift = bit & 7
    const low = (bytes[byte] as number) | ((bytes[byte + 1] as number) << 8) | ((bytes[byte + 2] as number) << 16)
    let value = (low | ((bytes[byte + 3] as number) << 24)) >>> shift
    if (width + shift > 32) value |= (bytes[byte + 4] as number) << (32 - shift)
    into[i] = (value & mask) >>> 0
  }
}

function unpackWide(bytes: Uint8Array, at: number, width: number, into: Float64Array | Int32Array): void {
  let held = 0n
  let bits = 0
  let next = at
  const mask = (1n << BigInt(width)) - 1n
  for (let i = 0; i < into.length; i++) {
    for (; bits < width; bits += 8) held |= BigInt(bytes[next++] ?? 0) << BigInt(bits)
    into[i] = Number(held & mask)
    held >>= BigInt(width)
    bits -= width
  }
}
