import { bitsOf, packBits, unpackBits } from './bits.ts'
import { type ByteSink, ByteSource } from './byte-sink.ts'
import type { Column } from './schema.ts'

// Parquet's DELTA_BINARY_PACKED: https://parquet.apache.org/docs/file-format/data-pages/encodings/
const BLOCK = 128
const MINI_BLOCKS = 4
const MINI_BLOCK = BLOCK / MINI_BLOCKS

const steps = new Float64Array(BLOCK)
const unpacked = new Float64Array(MINI_BLOCK)

/** Writes whole numbers as differences; a steady rise or a constant costs a few bytes for each 128 of them. */
export function encodeDeltas(values: Column, count: number, sink: ByteSink): void {
  sink.varint(BLOCK)
  sink.varint(MINI_BLOCKS)
  sink.varint(count)
  sink.zigzag(count === 0 ? 0 : (values[0] as number))
  for (let from = 1; from < count; from += BLOCK) encodeBlock(values, from, Math.min(BLOCK, count - from), sink)
}

function encodeBlock(values: Column, from: number, count: number, sink: ByteSink): void {
  let least = Number.POSITIVE_INFINITY
  let before = values[from - 1] as number
  for (let i = 0; i < count; i++) {
    const value = values[from + i] as number
    const step = value - before
    steps[i] = step
    if (step < least) least = step
    before = value
  }
  sink.zigzag(least)
  for (let i = 0; i < count; i++) steps[i] = (steps[i] as number) - least
  steps.fill(0, count)
  const widthsAt = sink.length
  for (let i = 0; i < MINI_BLOCKS; i++) sink.byte(0)
  for (let i = 0; i * MINI_BLOCK < count; i++) {
    const width = bitsOf(greatest(i * MINI_BLOCK))
    if (width === 0) continue
    sink.bytes[widthsAt + i] = width
    packBits(steps, i * MINI_BLOCK, MINI_BLOCK, { width, sink })
  }
}

function greatest(from: number): number {
  let most = 0
  for (let i = from; i < from + MINI_BLOCK; i++) if ((steps[i] as number) > most) most = steps[i] as number
  return most
}

/** Reads what encodeDeltas() wrote into `into`, which has its length. */
export function decodeDeltas(bytes: Uint8Array, into: Int32Array | Float64Array): void {
  const source = new ByteSource(bytes)
  for (let i = 0; i < 3; i++) source.varint()
  const first = source.zigzag()
  if (into.length > 0) into[0] = first
  for (let at = 1; at < into.length; at += BLOCK) decodeBlock(source, into, at)
}

function decodeBlock(source: ByteSource, into: Int32Array | Float64Array, from: number): void {
  const least = source.zigzag()
  const widthsAt = source.at
  source.at += MINI_BLOCKS
  const end = Math.min(from + BLOCK, into.length)
  for (let at = from, i = 0; at < end; at += MINI_BLOCK, i++) {
    const width = source.bytes[widthsAt + i] as number
    if (width === 0) {
      addSteps(into, at, Math.min(at + MINI_BLOCK, end), least)
      continue
    }
    unpackBits(source.bytes, source.at, width, unpacked)
    source.at += (width * MINI_BLOCK) / 8
    addUp(into, at, Math.min(at + MINI_BLOCK, end), least)
  }
}

/** The common case: every step is the same. */
function addSteps(into: Int32Array | Float64Array, from: number, to: number, step: number): void {
  let value = into[from - 1] as number
  for (let at = from; at < to; at++) {
    value += step
    into[at] = value
  }
}

/** Turns the unpacked steps into values, from the value before on. */
function addUp(into: Int32Array | Float64Array, from: number, to: number, least: number): void {
  let value = into[from - 1] as number
  for (let at = from; at < to; at++) {
    value += least + (unpacked[at - from] as number)
    into[at] = value
  }
}
