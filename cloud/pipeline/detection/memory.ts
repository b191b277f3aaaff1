import type { PointMemory } from './tables.ts'

/** Bytes of a point's id, of a time and of a number. */
const ID_BYTES = 16
const NUMBER_BYTES = 8
const LENGTH_BYTES = 4
/** A number without a window, by far the most; anything else is JSON `[value, rate]` behind its length. */
const NUMBER = 0
const JSON_TEXT = 1
const HEAD_BYTES = ID_BYTES + NUMBER_BYTES + 1

/** A point's id as bytes. */
export const idBytes = (pointId: string): Buffer => Buffer.from(pointId.replaceAll('-', ''), 'hex')

/** What a point remembers, under the bytes of its id. */
export interface MemoryRecord {
  readonly id: Buffer
  readonly memory: PointMemory
}

/** A point that has seen nothing has nothing to remember. */
const isWritten = ({ memory }: MemoryRecord) => memory.valueAt !== null

const isPlain = ({ value, rate }: PointMemory) => typeof value === 'number' && rate === null

/**
 * Packs what points remember: id, time (IEEE 754, as all numbers, high byte first), kind, then the value. A tenth of the same in
 * JSON, and neither Node nor PostgreSQL needs to parse it. `0007-detection-checkpoint.sql` writes the same.
 */
export function packMemory(records: readonly MemoryRecord[]): Buffer {
  const written = records.filter(isWritten)
  const texts = written.map(({ memory }) =>
    isPlain(memory) ? undefined : Buffer.from(JSON.stringify([memory.value, memory.rate])),
  )
  const size = texts.reduce((sum, text) => sum + HEAD_BYTES + (text ? LENGTH_BYTES + text.length : NUMBER_BYTES), 0)
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const [i, { id, memory }] of written.entries()) {
    const text = texts[i]
    id.copy(bytes, at)
    bytes.writeDoubleBE(memory.valueAt as number, at + ID_BYTES)
    bytes[at + HEAD_BYTES - 1] = text ? JSON_TEXT : NUMBER
    at += HEAD_BYTES
    if (text) {
      bytes.writeUInt32BE(text.length, at)
      text.copy(bytes, at + LENGTH_BYTES)
      at += LENGTH_BYTES + text.length
    } else at = bytes.writeDoubleBE(memory.value as number, at)
  }
  return bytes
}

/** Reads what packMemory() wrote into `into`, by point id. @throws RangeError when the bytes end too early. */
export function unpackMemory(bytes: Buffer, into: Map<string, PointMemory>): void {
  for (let at = 0; at < bytes.length; ) {
    const valueAt = bytes.readDoubleBE(at + ID_BYTES)
    const isText = bytes.readUInt8(at + HEAD_BYTES - 1) === JSON_TEXT
    const body = at + HEAD_BYTES
    const length = isText ? bytes.readUInt32BE(body) : 0
    const end = body + (isText ? LENGTH_BYTES + length : NUMBER_BYTES)
    if (end > bytes.length)
      throw new RangeError(`A detection checkpoint ends after ${bytes.length} bytes, within a point`)
    const [value, rate] = isText
      ? (JSON.parse(bytes.toString('utf8', body + LENGTH_BYTES, end)) as [PointMemory['value'], PointMemory['rate']])
      : [bytes.readDoubleBE(body), null]
    into.set(uuidOf(bytes.toString('hex', at, at + ID_BYTES)), { value, valueAt, rate })
    at = end
  }
}

const uuidOf = (hex: string) =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
