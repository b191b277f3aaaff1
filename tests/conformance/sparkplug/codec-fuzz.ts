import fc from 'fast-check'
import { offsetsOf } from '#shared/sparkplug/completeness.ts'
import { AliasTable, DataColumns, readData } from '#shared/sparkplug/data-columns.ts'
import {
  type DataType,
  decodePayload,
  encodePayload,
  type Metrics,
  type Payload,
  PayloadError,
  type SparkplugType,
  type Template,
} from '#shared/sparkplug/payload.ts'
import { type Birth, birthArb, dataBytesArb, FIRST_ALIAS, LAST_ALIAS } from './codec-arbitraries.ts'
import { METRIC_TYPES, modelArb } from './codec-models.ts'

/** What came of a run. Anything but a PayloadError, and any difference between the two decoders, is thrown instead. */
export interface FuzzResult {
  readonly payloads: number
  /** Decoded as objects. */
  readonly decoded: number
  /** Read into columns. */
  readonly columns: number
  readonly refused: number
  /** The longest that one payload took, ms. */
  readonly slowestMs: number
}

/** A fault that the fuzzer found, with the bytes that show it. */
export class FuzzFinding extends Error {
  override readonly name = 'FuzzFinding'
}

interface Subject {
  readonly birth: Birth
  readonly table: AliasTable
  readonly seeds: readonly Uint8Array[]
}

const SUBJECTS = 24
const SEEDS = 40
const PROOF_EVERY = 1000
const MOST_BYTES = 4096

/**
 * Feeds payloads to the codec: half of them good ones with a few faults, the rest spliced, stretched or plain noise. Every
 * one is decoded as object, with all that is in it read, and into columns. Between them a good payload must come out whole.
 * @throws FuzzFinding
 */
export function fuzz(payloads: number, seed: number, onProgress: (done: number) => void = () => undefined): FuzzResult {
  const draw = generator(seed)
  const subjects = makeSubjects(seed)
  const counts = { decoded: 0, columns: 0, refused: 0, slowestMs: 0 }
  const stackLimit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    for (let i = 0; i < payloads; i++) {
      const subject = subjects[draw(subjects.length)] as Subject
      const bytes = mutate(subject.seeds, draw)
      const startedAt = performance.now()
      attempt(subject, bytes, counts)
      counts.slowestMs = Math.max(counts.slowestMs, performance.now() - startedAt)
      if (i % PROOF_EVERY === 0) prove(bytes)
      if (i % 100_000 === 0) onProgress(i)
    }
  } finally {
    Error.stackTraceLimit = stackLimit
  }
  return { payloads, ...counts }
}

function makeSubjects(seed: number): Subject[] {
  const births = fc.sample(birthArb, { numRuns: SUBJECTS, seed })
  return births.map((birth, i) => {
    const table = new AliasTable()
    for (const [slot, [alias, type]] of [...birth.types].entries()) table.set(alias, slot, type)
    if (birth.hasOffsets) table.firstOffsetAlias = FIRST_ALIAS
    if (birth.hasOffsets) table.lastOffsetAlias = LAST_ALIAS
    const data = fc.sample(dataBytesArb(birth), { numRuns: SEEDS, seed: seed + i })
    const models = fc.sample(modelArb, { numRuns: SEEDS / 4, seed: seed + i }).map(encodePayload)
    return { birth, table, seeds: [...data, ...models] }
  })
}

type Draw = (below: number) => number

/** Mulberry32: small, quick, the same on every machine. */
function generator(seed: number): Draw {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const buffer = new Uint8Array(MOST_BYTES)
/** Bytes that mean something to protobuf: keys of fields, ends and overflows of varints. */
const SPICE = [0x00, 0x01, 0x08, 0x0a, 0x10, 0x12, 0x18, 0x4a, 0x69, 0x7f, 0x80, 0x82, 0x8a, 0x92, 0xff]

function mutate(seeds: readonly Uint8Array[], draw: Draw): Uint8Array {
  if (draw(20) === 0) return noise(draw)
  const seed = seeds[draw(seeds.length)] as Uint8Array
  let length = Math.min(seed.length, MOST_BYTES)
  buffer.set(seed.subarray(0, length))
  for (let faults = draw(4); faults > 0; faults--) length = addFault(length, seeds, draw)
  return buffer.subarray(0, length)
}

function noise(draw: Draw): Uint8Array {
  const length = draw(200)
  for (let i = 0; i < length; i++) buffer[i] = draw(2) === 0 ? draw(256) : (SPICE[draw(SPICE.length)] as number)
  return buffer.subarray(0, length)
}

/** One fault in the buffer; answers its new length. */
function addFault(length: number, seeds: readonly Uint8Array[], draw: Draw): number {
  const at = draw(length + 1)
  switch (draw(8)) {
    case 0:
      buffer[at % MOST_BYTES] = (buffer[at % MOST_BYTES] as number) ^ (1 << draw(8))
      return length
    case 1:
      buffer[at % MOST_BYTES] = draw(256)
      return length
    case 2:
      buffer[at % MOST_BYTES] = SPICE[draw(SPICE.length)] as number
      return length
    case 3:
      return at
    case 4:
      return remove(length, at, draw(8))
    case 5:
      return insert(
        length,
        at,
        Uint8Array.from({ length: draw(12) }, () => (draw(2) ? 0xff : draw(256))),
      )
    case 6:
      return insert(length, at, buffer.slice(at, Math.min(length, at + draw(60))))
    default:
      return insert(length, at, part(seeds[draw(seeds.length)] as Uint8Array, draw))
  }
}

function part(seed: Uint8Array, draw: Draw): Uint8Array {
  const from = draw(seed.length + 1)
  return seed.subarray(from, from + draw(60))
}

function remove(length: number, at: number, size: number): number {
  const end = Math.min(length, at + size)
  buffer.copyWithin(at, end, length)
  return length - (end - at)
}

function insert(length: number, at: number, bytes: Uint8Array): number {
  if (length + bytes.length > MOST_BYTES) return length
  buffer.copyWithin(at + bytes.length, at, length)
  buffer.set(bytes, at)
  return length + bytes.length
}

const columns = new DataColumns()

function attempt({ birth, table }: Subject, bytes: Uint8Array, counts: { -readonly [K in keyof FuzzResult]?: number }) {
  const payload = guarded(bytes, 'decodePayload', () => decodePayload(bytes))
  if (payload) {
    counts.decoded = (counts.decoded ?? 0) + 1
    readAll(bytes, payload, bytes.length)
  } else counts.refused = (counts.refused ?? 0) + 1
  const isRead = guarded(bytes, 'readData', () => readData(bytes, table, columns))
  if (!isRead && columns.count !== 0) throw finding(bytes, 'the columns hold something of a payload that was not read')
  if (!isRead) return
  counts.columns = (counts.columns ?? 0) + 1
  if (!payload) throw finding(bytes, 'columns hold what the object decoder refuses')
  const difference = differs(birth, payload)
  if (difference) throw finding(bytes, `columns and objects differ: ${difference}`)
}

/** Undefined when the payload was refused as it should be. */
function guarded<T>(bytes: Uint8Array, what: string, run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof PayloadError) return undefined
    throw finding(bytes, `${what} threw ${error}`, error)
  }
}

const finding = (bytes: Uint8Array, what: string, cause?: unknown) =>
  new FuzzFinding(`${what}\n${Buffer.from(bytes).toString('hex')}`, { cause })

/** Reads whatever a payload offers: each value by the type that it names, the first also by one that it does not. */
function readAll(bytes: Uint8Array, metrics: Metrics, turn: number): void {
  for (let i = 0; i < metrics.count; i++) {
    readValue(bytes, metrics, i, metrics.anyTypeOf(i) ?? 'double')
    if (i === 0) readValue(bytes, metrics, i, METRIC_TYPES[turn % METRIC_TYPES.length] as DataType)
    guarded(bytes, 'properties', () => metrics.properties(i))
    guarded(bytes, 'metadata', () => metrics.metadata(i))
  }
}

function readValue(bytes: Uint8Array, metrics: Metrics, i: number, type: DataType): void {
  const value = guarded(bytes, `anyValueAs ${type}`, () => metrics.anyValueAs(i, type))
  if (type === 'template' && value) readAll(bytes, (value as Template).metrics, i)
}

/** What is not the same in the columns as in the payload, which was read before. */
function differs({ types, hasOffsets }: Birth, payload: Payload): string | undefined {
  const offsets = offsetsOf(
    payload,
    hasOffsets ? { first: FIRST_ALIAS, last: LAST_ALIAS } : { first: undefined, last: undefined },
  )
  if (columns.count !== (offsets?.samples ?? payload.count)) return 'count'
  if (columns.hasOffsets !== (offsets !== undefined)) return 'offsets'
  if (offsets && (columns.firstOffset !== offsets.first || columns.lastOffset !== offsets.last)) return 'offsets'
  const slots = [...types.keys()]
  for (let i = 0; i < columns.count; i++) {
    const alias = Number(payload.alias(i))
    if (slots[columns.slot[i] as number] !== alias) return `slot ${i}`
    if (!isSameValue(payload, i, types.get(alias) as SparkplugType)) return `value ${i}`
  }
  return undefined
}

function isSameValue(payload: Payload, i: number, type: SparkplugType): boolean {
  const flag = columns.flag[i] as number
  let value: unknown
  try {
    value = payload.valueAs(i, type)
  } catch {
    return (flag & 8) !== 0 && columns.q[i] === 0
  }
  if ((flag & 8) !== 0) return false
  if (value === null) return (flag & 1) !== 0
  const found = flag & 2 ? columns.wide[i] : columns.v[i]
  return Object.is(found, typeof value === 'boolean' ? Number(value) : value)
}

const PROOF_TABLE = new AliasTable()
PROOF_TABLE.set(3, 0, 'double')
const PROOF = encodePayload({ timestamp: 5, seq: 6, metrics: [{ alias: 3, type: 'double', timestamp: 4, value: 1.5 }] })

/** After all that, a good payload is read as ever. */
function prove(last: Uint8Array): void {
  const isRead = readData(PROOF, PROOF_TABLE, columns)
  const { count, timestamp, seq, ts, v, q } = columns
  const found = [isRead, count, timestamp, seq, ts[0], v[0], q[0], decodePayload(PROOF).valueAs(0, 'double')].join()
  if (found !== 'true,1,5,6,4,1.5,192,1.5') throw finding(last, `a good payload was read as ${found} after`)
}
