import type { Scalar } from '#shared/contracts/sample.ts'
import type { ModbusUnit } from './modbus-unit.ts'
import type { Area } from './register-codec.ts'

const ILLEGAL_FUNCTION = 1
const ILLEGAL_ADDRESS = 2
const ILLEGAL_VALUE = 3
/** Limits of the Modbus application protocol 1.1b3, clauses 6.1 to 6.12. */
const MOST = { readBits: 2000, readRegisters: 125, writeBits: 1968, writeRegisters: 123 } as const

export interface PduEvents {
  /** A read was answered: which registers or bits the answer carries. */
  onRead(area: Area, start: number, count: number): void
  onWrite(tags: readonly { readonly tag: string; readonly value: Scalar }[]): void
}

const exception = (fn: number, code: number) => Buffer.from([fn | 0x80, code])

/** Answers one request (function code and data) from a unit's image. Function codes 1 to 6, 15, 16 and 22; exceptions 1, 2, 3. */
export function answerPdu(pdu: Buffer, unit: ModbusUnit, events: PduEvents): Buffer {
  const fn = pdu[0] ?? 0
  if (pdu.length < 5) return exception(fn, READERS[fn] || WRITERS.has(fn) ? ILLEGAL_VALUE : ILLEGAL_FUNCTION)
  const area = READERS[fn]
  if (area) return read({ fn, area, start: pdu.readUInt16BE(1), count: pdu.readUInt16BE(3) }, unit, events)
  const write = WRITERS.get(fn)
  return write ? write(pdu, unit, events) : exception(fn, ILLEGAL_FUNCTION)
}

const READERS: Readonly<Record<number, Area>> = { 1: 'coil', 2: 'discrete', 3: 'holding', 4: 'input' }

interface Span {
  readonly fn: number
  readonly area: Area
  readonly start: number
  readonly count: number
}

function hasAccess(unit: ModbusUnit, { area, start, count }: Span, least: number): boolean {
  const access = unit.area(area)?.access
  if (!access || start + count > access.length) return false
  for (let i = start; i < start + count; i++) if ((access[i] ?? 0) < least) return false
  return true
}

function read(span: Span, unit: ModbusUnit, events: PduEvents): Buffer {
  const { fn, area, start, count } = span
  const isBits = fn <= 2
  if (count < 1 || count > (isBits ? MOST.readBits : MOST.readRegisters)) return exception(fn, ILLEGAL_VALUE)
  const image = unit.area(area)
  if (!image || !hasAccess(unit, span, 1)) return exception(fn, ILLEGAL_ADDRESS)
  const data = isBits
    ? packBits(image.bytes.subarray(start, start + count))
    : image.bytes.subarray(2 * start, 2 * (start + count))
  const answer = Buffer.allocUnsafe(2 + data.length)
  answer[0] = fn
  answer[1] = data.length
  data.copy(answer, 2)
  events.onRead(area, start, count)
  return answer
}

function packBits(bits: Buffer): Buffer {
  const packed = Buffer.alloc(Math.ceil(bits.length / 8))
  bits.forEach((bit, i) => {
    if (bit) packed[i >> 3] = (packed[i >> 3] ?? 0) | (1 << (i & 7))
  })
  return packed
}

type Write = (pdu: Buffer, unit: ModbusUnit, events: PduEvents) => Buffer

const WRITERS: ReadonlyMap<number, Write> = new Map([
  [5, writeCoil],
  [6, writeRegister],
  [15, writeCoils],
  [16, writeRegisters],
  [22, maskWrite],
])

function commit(span: Span, bytes: Buffer, unit: ModbusUnit, events: PduEvents): Buffer | undefined {
  if (!hasAccess(unit, span, 2)) return exception(span.fn, ILLEGAL_ADDRESS)
  events.onWrite(unit.written(span.area, span.start, bytes))
  return undefined
}

function writeCoil(pdu: Buffer, unit: ModbusUnit, events: PduEvents): Buffer {
  const value = pdu.readUInt16BE(3)
  if (value !== 0 && value !== 0xff00) return exception(5, ILLEGAL_VALUE)
  const span: Span = { fn: 5, area: 'coil', start: pdu.readUInt16BE(1), count: 1 }
  return commit(span, Buffer.from([value ? 1 : 0]), unit, events) ?? pdu.subarray(0, 5)
}

function writeRegister(pdu: Buffer, unit: ModbusUnit, events: PduEvents): Buffer {
  const span: Span = { fn: 6, area: 'holding', start: pdu.readUInt16BE(1), count: 1 }
  return commit(span, pdu.subarray(3, 5), unit, events) ?? pdu.subarray(0, 5)
}

function writeCoils(pdu: Buffer, unit: ModbusUnit, events: PduEvents): Buffer {
  const span: Span = { fn: 15, area: 'coil', start: pdu.readUInt16BE(1), count: pdu.readUInt16BE(3) }
  const isLong = pdu.length === 6 + Math.ceil(span.count / 8) && pdu[5] === pdu.length - 6
  if (span.count < 1 || span.count > MOST.writeBits || !isLong) return exception(15, ILLEGAL_VALUE)
  const bits = Buffer.alloc(span.count)
  for (let i = 0; i < span.count; i++) bits[i] = ((pdu[6 + (i >> 3)] ?? 0) >> (i & 7)) & 1
  return commit(span, bits, unit, events) ?? pdu.subarray(0, 5)
}

function writeRegisters(pdu: Buffer, unit: ModbusUnit, events: PduEvents): Buffer {
  const span: Span = { fn: 16, area: 'holding', start: pdu.readUInt16BE(1), count: pdu.readUInt16BE(3) }
  const isLong = pdu.length === 6 + 2 * span.count && pdu[5] === 2 * span.count
  if (span.count < 1 || span.count > MOST.writeRegisters || !isLong) return exception(16, ILLEGAL_VALUE)
  return commit(span, pdu.subarray(6), unit, events) ?? pdu.subarray(0, 5)
}

/** The device's word: (now AND and-mask) OR (or-mask AND NOT and-mask), clause 6.16. Answers with the whole request. */
function maskWrite(pdu: Buffer, unit: ModbusUnit, events: PduEvents): Buffer {
  const span: Span = { fn: 22, area: 'holding', start: pdu.readUInt16BE(1), count: 1 }
  if (pdu.length !== 7) return exception(22, ILLEGAL_VALUE)
  const [and, or] = [pdu.readUInt16BE(3), pdu.readUInt16BE(5)]
  const now = unit.area('holding')?.bytes.readUInt16BE(2 * span.start) ?? 0
  const word = Buffer.alloc(2)
  word.writeUInt16BE((now & and) | (or & ~and & 0xffff))
  return commit(span, word, unit, events) ?? pdu
}
