import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { TagSample } from '#edge/model.ts'
import type { Quality } from '#shared/contracts/sample.ts'
import { PayloadError } from '#shared/sparkplug/payload-error.ts'
import { WireReader } from '#shared/sparkplug/reader.ts'
import { WireWriter } from '#shared/sparkplug/wire.ts'
import { writeQualities } from './record-codec.ts'
import { type ValueColumns, valueReader, valueWriter } from './value-columns.ts'

/**
 * Blocks: several records of samples packed together, column by column, as one row of a segment. In the order of arrival as
 * a commit writes them; by tag, each value as its difference to the tag's last one, as the re-packing of a closed segment
 * does. Either way the records come back as they went, each sample under its own offset.
 */
const PLAIN = 3
const ZSTD = 4
const BY_TAG = 1
const SPARSE = 2

/** Classes of records that go into blocks; alarm events and gaps are rows of their own. */
const BLOCK_CLASSES = ['live', 'backfill'] as const
export type BlockClass = (typeof BLOCK_CLASSES)[number]

/** A record in a block. */
export interface BlockRecord {
  readonly class: BlockClass
  readonly samples: readonly TagSample[]
  /** Offset of its first sample. */
  readonly first: bigint
  /** Each sample's own offset, in a thinned record; else sample k has first + k. */
  readonly offsets?: readonly bigint[] | undefined
}

/** How much is done for size: `arrival` and quick for a commit, `by-tag` and small for what waits in a closed segment. */
export type BlockOrder = 'arrival' | 'by-tag'

const LEVEL = { arrival: 1, 'by-tag': 4 } as const
const MOST_SAMPLES = 4_000_000

/** True for the bytes of a block, false for those of a single record. */
export const isBlock = (bytes: Uint8Array): boolean => bytes[0] === PLAIN || bytes[0] === ZSTD

/** Packs records, sorted by offset and each by source time. @throws RangeError when there is none. */
export function packBlock(records: readonly BlockRecord[], order: BlockOrder): Uint8Array {
  const [head] = records
  if (!head) throw new RangeError('A block has at least one record')
  const isSparse = records.some(({ offsets }) => offsets !== undefined)
  const samples = records.length === 1 ? head.samples : records.flatMap((record) => record.samples)
  const out = new WireWriter(64 + samples.length * 8)
  out.varint((order === 'by-tag' ? BY_TAG : 0) + (isSparse ? SPARSE : 0))
  writeRecords(out, records)
  if (isSparse) writeOffsets(out, records, head.first)
  writeIds(out, samples)
  writeTimes(out, records)
  writeQualities(out, samples)
  writeValues(out, samples, order)
  return compress(out.finish(), order)
}

function compress(plain: Uint8Array, order: BlockOrder): Uint8Array {
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL[order] }
  const packed = plain.length < 200 ? plain : zstdCompressSync(plain, { params })
  return Buffer.concat(packed.length < plain.length ? [Buffer.of(ZSTD), packed] : [Buffer.of(PLAIN), plain])
}

function writeRecords(out: WireWriter, records: readonly BlockRecord[]): void {
  out.varint(records.length)
  for (const record of records) out.varint(record.samples.length * 2 + BLOCK_CLASSES.indexOf(record.class))
}

/** Of a thinned block: how far each offset is from the one before, less one. */
function writeOffsets(out: WireWriter, records: readonly BlockRecord[], first: bigint): void {
  let next = first
  for (const record of records) {
    for (let i = 0; i < record.samples.length; i++) {
      const offset = record.offsets?.[i] ?? record.first + BigInt(i)
      out.varint(Number(offset - next))
      next = offset + 1n
    }
  }
}

function writeIds(out: WireWriter, samples: readonly TagSample[]): void {
  let expected = 0
  for (const { tagId } of samples) {
    out.varint(zigzag(tagId - expected))
    expected = tagId + 1
  }
}

function writeTimes(out: WireWriter, records: readonly BlockRecord[]): void {
  let previous = 0
  for (const { samples } of records) {
    for (const { sourceAt } of samples) {
      out.varint(zigzag(sourceAt - previous))
      previous = sourceAt
    }
  }
}

function writeValues(out: WireWriter, samples: readonly TagSample[], order: BlockOrder): void {
  const columns = valueWriter()
  if (order === 'arrival') for (const { value } of samples) columns.add(value, true)
  else {
    const ids = Float64Array.from(samples, ({ tagId }) => tagId)
    let last = Number.NaN
    for (const index of orderByTag(ids)) {
      const { tagId, value } = samples[index] as TagSample
      columns.add(value, tagId !== last)
      last = tagId
    }
  }
  for (const column of columns.finish()) out.bytes(column)
}

/** Positions sorted by tag, those of one tag in their own order. */
function orderByTag(ids: Float64Array): Float64Array {
  const size = ids.length
  const keys = ids.map((id, i) => id * size + i).sort()
  return keys.map((key) => key % size)
}

/** Unpacks the block that begins with an offset. @throws PayloadError when the bytes are damaged. */
export function unpackBlock(first: bigint, bytes: Uint8Array): BlockRecord[] {
  const reader = new WireReader(bytes[0] === ZSTD ? decompress(bytes.subarray(1)) : bytes.subarray(1))
  const flags = reader.number()
  const heads = readRecords(reader)
  const count = heads.reduce((sum, { size }) => sum + size, 0)
  if (count > MOST_SAMPLES) throw new PayloadError('A journal block has an impossible length')
  const offsets = flags & SPARSE ? readOffsets(reader, first, count) : undefined
  const ids = readIds(reader, count)
  const times = readTimes(reader, count)
  const qualities = readQualities(reader, count)
  const columns: ValueColumns = [reader.slice(), reader.slice(), reader.slice(), reader.slice()]
  const samples = readSamples({ ids, times, qualities, columns, isByTag: (flags & BY_TAG) !== 0 })
  return cut({ heads, samples, offsets, first })
}

function decompress(bytes: Uint8Array): Uint8Array {
  try {
    return zstdDecompressSync(bytes)
  } catch (error) {
    throw new PayloadError('A journal block does not decompress', { cause: error })
  }
}

interface Head {
  readonly size: number
  readonly class: BlockClass
}

function readRecords(reader: WireReader): Head[] {
  const count = reader.number()
  if (count > MOST_SAMPLES) throw new PayloadError('A journal block has an impossible length')
  return Array.from({ length: count }, () => {
    const code = reader.number()
    return { size: Math.floor(code / 2), class: code % 2 === 0 ? 'live' : 'backfill' }
  })
}

function readOffsets(reader: WireReader, first: bigint, count: number): bigint[] {
  let next = first
  return Array.from({ length: count }, () => {
    const offset = next + BigInt(reader.number())
    next = offset + 1n
    return offset
  })
}

function readIds(reader: WireReader, count: number): Float64Array {
  const ids = new Float64Array(count)
  let expected = 0
  for (let i = 0; i < count; i++) {
    const id = expected + unzigzag(reader.number())
    ids[i] = id
    expected = id + 1
  }
  return ids
}

function readTimes(reader: WireReader, count: number): Float64Array {
  const times = new Float64Array(count)
  let previous = 0
  for (let i = 0; i < count; i++) {
    previous += unzigzag(reader.number())
    times[i] = previous
  }
  return times
}

function readQualities(reader: WireReader, count: number): Uint8Array {
  const qualities = new Uint8Array(count)
  for (let i = 0; i < count; ) {
    const quality = reader.number()
    const run = reader.number()
    if (run === 0 || run > count - i) throw new PayloadError('A journal block has a broken run')
    qualities.fill(quality, i, i + run)
    i += run
  }
  return qualities
}

interface Columns {
  readonly ids: Float64Array
  readonly times: Float64Array
  readonly qualities: Uint8Array
  readonly columns: ValueColumns
  readonly isByTag: boolean
}

function readSamples({ ids, times, qualities, columns, isByTag }: Columns): TagSample[] {
  const values = valueReader(columns)
  const samples = new Array<TagSample>(ids.length)
  const order = isByTag ? orderByTag(ids) : undefined
  let last = Number.NaN
  for (let i = 0; i < samples.length; i++) {
    const at = order ? (order[i] as number) : i
    const tagId = ids[at] as number
    const value = values.next(!isByTag || tagId !== last)
    last = tagId
    samples[at] = { tagId, sourceAt: times[at] as number, value, quality: qualities[at] as Quality }
  }
  return samples
}

interface Cut {
  readonly heads: readonly Head[]
  readonly samples: readonly TagSample[]
  readonly offsets: readonly bigint[] | undefined
  readonly first: bigint
}

function cut({ heads, samples, offsets, first }: Cut): BlockRecord[] {
  let at = 0
  return heads.map((head) => {
    const from = at
    at += head.size
    const own = offsets?.slice(from, at)
    const start = own?.[0] ?? first + BigInt(from)
    return { class: head.class, samples: samples.slice(from, at), first: start, ...(own && { offsets: own }) }
  })
}

const zigzag = (value: number): number => (value < 0 ? -value * 2 - 1 : value * 2)
const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)
