import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { bitsOf } from './bits.ts'
import { ByteSink, ByteSource } from './byte-sink.ts'
import { decodeDeltas, encodeDeltas } from './delta.ts'
import { DoubleDictionary, decodeIndexed, encodeIndices } from './dictionary.ts'
import type { Column, ColumnKind } from './schema.ts'
import { i32, readThriftIntegers, struct, thriftBytes } from './thrift.ts'

export const PLAIN = 0
export const RLE = 3
export const DELTA_BINARY_PACKED = 5
export const RLE_DICTIONARY = 8
const DATA_PAGE = 0
const DICTIONARY_PAGE = 2

export const UNCOMPRESSED = 0
export const ZSTD = 6
/** Below this a compressor's fixed cost (about 50 µs) is more than it saves. Packed steps are never worth it. */
const LEAST_COMPRESSED_BYTES = 2048
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

interface Page {
  readonly type: typeof DATA_PAGE | typeof DICTIONARY_PAGE
  readonly encoding: number
  readonly values: number
  readonly bytes: Uint8Array
}

/** One column of a row group as it stands in the file. */
export interface ColumnChunk {
  readonly codec: number
  readonly encodings: readonly number[]
  readonly hasDictionary: boolean
  /** Bytes of the dictionary page with its header; 0 without one. */
  readonly dictionaryBytes: number
  readonly rawBytes: number
  readonly bytes: Uint8Array
}

/** Encodes column chunks; keeps its working memory from one to the next. */
export class ColumnEncoder {
  readonly #dictionary = new DoubleDictionary()
  readonly #sink = new ByteSink()
  readonly #compressFrom: number

  /** @param isBrief for files that are soon rewritten: compressing them costs more than it saves. */
  constructor(isBrief = false) {
    this.#compressFrom = isBrief ? Number.POSITIVE_INFINITY : LEAST_COMPRESSED_BYTES
  }

  /** One column of a row group; valid until the next call. */
  encode(kind: ColumnKind, values: Column): ColumnChunk {
    this.#sink.clear()
    if (kind === 'double') return chunkOf(this.#doublePages(values as Float64Array), this.#compressFrom)
    encodeDeltas(values, values.length, this.#sink)
    const page: Page = {
      type: DATA_PAGE,
      encoding: DELTA_BINARY_PACKED,
      values: values.length,
      bytes: this.#sink.written,
    }
    return chunkOf([page], Number.POSITIVE_INFINITY)
  }

  #doublePages(values: Float64Array): Page[] {
    if (!this.#dictionary.fill(values)) {
      return [{ type: DATA_PAGE, encoding: PLAIN, values: values.length, bytes: bytesOf(values) }]
    }
    const { entries, indices } = this.#dictionary
    encodeIndices(indices, Math.max(1, bitsOf(entries.length - 1)), this.#sink)
    return [
      { type: DICTIONARY_PAGE, encoding: PLAIN, values: entries.length, bytes: bytesOf(entries) },
      { type: DATA_PAGE, encoding: RLE_DICTIONARY, values: values.length, bytes: this.#sink.written },
    ]
  }
}

const bytesOf = (values: Float64Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

function chunkOf(pages: readonly Page[], compressFrom: number): ColumnChunk {
  const size = pages.reduce((sum, page) => sum + page.bytes.length, 0)
  const codec = size < compressFrom ? UNCOMPRESSED : ZSTD
  const out = new ByteSink(size + 256)
  let rawBytes = 0
  let dictionaryBytes = 0
  for (const page of pages) {
    const body = codec === ZSTD ? zstdCompressSync(page.bytes, LEVEL) : page.bytes
    const header = headerOf(page, body.length)
    out.put(header)
    out.put(body)
    rawBytes += header.length + page.bytes.length
    if (page.type === DICTIONARY_PAGE) dictionaryBytes = out.length
  }
  const encodings = [...new Set([...pages.map((page) => page.encoding), RLE])]
  return { codec, encodings, hasDictionary: dictionaryBytes > 0, dictionaryBytes, rawBytes, bytes: out.written }
}

function headerOf({ type, encoding, values, bytes }: Page, bodyBytes: number): Uint8Array {
  const levels = { 3: i32(RLE), 4: i32(RLE) }
  const own = struct({ 1: i32(values), 2: i32(encoding), ...(type === DATA_PAGE ? levels : {}) })
  return thriftBytes({ 1: i32(type), 2: i32(bytes.length), 3: i32(bodyBytes), [type === DATA_PAGE ? 5 : 7]: own })
}

interface ReadPage {
  readonly type: number
  readonly encoding: number
  readonly values: number
  readonly bytes: Uint8Array
}

function readPage(source: ByteSource, codec: number): ReadPage {
  const header = readThriftIntegers(source)
  const [type, rawBytes, bodyBytes] = [1, 2, 3].map((field) => header.get(field) as number) as [number, number, number]
  const own = header.get(type === DATA_PAGE ? 5 : 7) as Map<number, number>
  const body = source.bytes.subarray(source.at, source.at + bodyBytes)
  source.at += bodyBytes
  const bytes = codec === ZSTD ? zstdDecompressSync(body, { maxOutputLength: rawBytes }) : body
  return { type, encoding: own.get(2) ?? -1, values: own.get(1) ?? 0, bytes }
}

/** Rows of a column chunk to decode, `from` up to, not including, `to`. */
export interface Rows {
  readonly from: number
  readonly to: number
}

/** Decodes rows of a column of whole numbers that a ColumnEncoder made. @throws Error when it is of another maker. */
export function decodeWholes<T extends Int32Array | Float64Array>(bytes: Uint8Array, codec: number, into: T): T {
  const page = readPage(new ByteSource(bytes), codec)
  if (page.encoding !== DELTA_BINARY_PACKED) throw foreign(page)
  decodeDeltas(page.bytes, into)
  return into
}

/** Decodes rows of a column of doubles that a ColumnEncoder made. @throws Error when it is of another maker. */
export function decodeDoubles(bytes: Uint8Array, codec: number, rows: Rows): Float64Array {
  const source = new ByteSource(bytes)
  let page = readPage(source, codec)
  if (page.type !== DICTIONARY_PAGE) {
    if (page.encoding !== PLAIN) throw foreign(page)
    return doublesOf(page.bytes, rows)
  }
  const entries = doublesOf(page.bytes, { from: 0, to: page.values })
  page = readPage(source, codec)
  if (page.encoding !== RLE_DICTIONARY) throw foreign(page)
  const into = new Float64Array(rows.to - rows.from)
  decodeIndexed(page.bytes, { entries, from: rows.from }, into)
  return into
}

const foreign = ({ encoding }: ReadPage) =>
  new Error(`A page of a history file is of encoding ${encoding}, which Andon never writes there`)

function doublesOf(bytes: Uint8Array, { from, to }: Rows): Float64Array {
  // A copy, because a page need not begin at a multiple of 8.
  const { buffer } = new Uint8Array(bytes.subarray(from * 8, to * 8))
  return new Float64Array(buffer, 0, to - from)
}
