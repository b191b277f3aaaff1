import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { TagSample } from '#edge/model.ts'
import type { Quality, Scalar } from '#shared/contracts/sample.ts'
import { PayloadError } from '#shared/sparkplug/payload-error.ts'
import { WireReader } from '#shared/sparkplug/reader.ts'
import { WireWriter } from '#shared/sparkplug/wire.ts'

const PLAIN = 1
const ZSTD = 2
/** Below this, zstd costs more than it saves. */
const COMPRESS_FROM_BYTES = 512

/** How a value is written: whole numbers short, other numbers as doubles, 64-bit integers by their sign. */
const NULL = 0
const DOUBLE = 1
const WHOLE = 2
const SIGNED = 3
const UNSIGNED = 4
const TRUE = 5
const FALSE = 6
const TEXT = 7

/**
 * Packs samples in columns: tag ids and times as differences, quality in runs, then values; larger blocks through zstd.
 * Samples must be sorted by source time.
 */
export function packSamples(samples: readonly TagSample[]): Uint8Array {
  const out = new WireWriter(32 + samples.length * 16)
  out.varint(PLAIN)
  out.varint(samples.length)
  writeIds(out, samples)
  writeTimes(out, samples)
  writeQualities(out, samples)
  for (const sample of samples) writeValue(out, sample.value)
  const plain = out.finish()
  if (plain.length < COMPRESS_FROM_BYTES) return plain
  const packed = zstdCompressSync(plain)
  return packed.length + 1 < plain.length ? Buffer.concat([Buffer.of(ZSTD), packed]) : plain
}

function writeIds(out: WireWriter, samples: readonly TagSample[]): void {
  let previous = 0
  for (const { tagId } of samples) {
    out.varint(zigzag(tagId - previous))
    previous = tagId
  }
}

function writeTimes(out: WireWriter, samples: readonly TagSample[]): void {
  let previous = 0
  for (const { sourceAt } of samples) {
    out.varint(sourceAt - previous)
    previous = sourceAt
  }
}

/** Writes the qualities of samples in runs: each with its length. */
export function writeQualities(out: WireWriter, samples: readonly TagSample[]): void {
  for (let i = 0; i < samples.length; ) {
    const quality = samples[i]?.quality ?? 0
    let end = i + 1
    while (end < samples.length && samples[end]?.quality === quality) end += 1
    out.varint(quality)
    out.varint(end - i)
    i = end
  }
}

function writeValue(out: WireWriter, value: Scalar): void {
  if (value === null) out.varint(NULL)
  else if (typeof value === 'number') writeNumber(out, value)
  else if (typeof value === 'bigint') writeBigint(out, value)
  else if (typeof value === 'boolean') out.varint(value ? TRUE : FALSE)
  else {
    out.varint(TEXT)
    out.text(value)
  }
}

function writeNumber(out: WireWriter, value: number): void {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 51 && !Object.is(value, -0)) {
    out.varint(WHOLE)
    out.varint(zigzag(value))
    return
  }
  out.varint(DOUBLE)
  out.double(value)
}

function writeBigint(out: WireWriter, value: bigint): void {
  out.varint(BigInt.asIntN(64, value) === value ? SIGNED : UNSIGNED)
  out.varint64(value)
}

/** Unpacks what packSamples() packed. @throws PayloadError when the bytes are damaged. */
export function unpackSamples(bytes: Uint8Array): TagSample[] {
  const reader = new WireReader(bytes[0] === ZSTD ? decompress(bytes.subarray(1)) : bytes)
  if (reader.number() !== PLAIN) throw new PayloadError('A journal record has an unknown form')
  const count = reader.number()
  if (count > bytes.length * 1000) throw new PayloadError('A journal record has an impossible length')
  const ids = readIds(reader, count)
  const times = readTimes(reader, count)
  const qualities = readQualities(reader, count)
  return ids.map((tagId, i) => ({
    tagId,
    sourceAt: times[i] ?? 0,
    value: readValue(reader),
    quality: qualities[i] ?? 0,
  }))
}

function decompress(bytes: Uint8Array): Uint8Array {
  try {
    return zstdDecompressSync(bytes)
  } catch (error) {
    throw new PayloadError('A journal record does not decompress', { cause: error })
  }
}

function readIds(reader: WireReader, count: number): number[] {
  const ids: number[] = []
  let previous = 0
  for (let i = 0; i < count; i++) {
    previous += unzigzag(reader.number())
    ids.push(previous)
  }
  return ids
}

function readTimes(reader: WireReader, count: number): number[] {
  const times: number[] = []
  let previous = 0
  for (let i = 0; i < count; i++) {
    previous += reader.number()
    times.push(previous)
  }
  return times
}

function readQualities(reader: WireReader, count: number): Quality[] {
  const qualities: Quality[] = []
  while (qualities.length < count) {
    const quality = reader.number() as Quality
    const run = reader.number()
    if (run === 0 || run > count - qualities.length) throw new PayloadError('A journal record has a broken run')
    for (let i = 0; i < run; i++) qualities.push(quality)
  }
  return qualities
}

function readValue(reader: WireReader): Scalar {
  switch (reader.number()) {
    case NULL:
      return null
    case DOUBLE:
      return reader.double()
    case WHOLE:
      return unzigzag(reader.number())
    case SIGNED:
      return BigInt.asIntN(64, reader.bits64())
    case UNSIGNED:
      return reader.bits64()
    case TRUE:
      return true
    case FALSE:
      return false
    case TEXT:
      return reader.text()
    default:
      throw new PayloadError('A journal record has an unknown kind of value')
  }
}

const zigzag = (value: number): number => (value < 0 ? -value * 2 - 1 : value * 2)
const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)
