import type { Area } from './address.ts'
import { FrameError } from './frame.ts'

/** Function codes of MODBUS Application Protocol V1.1b3, chapter 6. */
export const READ_FUNCTION: Readonly<Record<Area, number>> = { coil: 1, discrete: 2, holding: 3, input: 4 }
const WRITE_COIL = 5
const WRITE_REGISTER = 6
const WRITE_COILS = 15
const WRITE_REGISTERS = 16
const MASK_WRITE = 22

/** The device understood the request and refused it. */
export class ModbusException extends Error {
  override readonly name = 'ModbusException'
  readonly code: number

  constructor(code: number) {
    super(EXCEPTION_WORDS[code] ?? `refused with exception ${code}`)
    this.code = code
  }
}

const EXCEPTION_WORDS: Readonly<Record<number, string>> = {
  1: 'the device does not know this function (exception 1)',
  2: 'the device has no such address (exception 2)',
  3: 'the device refuses this value or count (exception 3)',
  4: 'the device failed while answering (exception 4)',
  5: 'the device needs more time (exception 5)',
  6: 'the device is busy (exception 6)',
  8: 'the device found a memory parity error (exception 8)',
  10: 'the gateway has no path to the unit (exception 10)',
  11: 'the unit behind the gateway does not answer (exception 11)',
}

const isUnitGone = (code: number) => code === 10 || code === 11

/** What a gateway says in place of a unit that does not answer; undefined for any other reply. */
export function unitGoneWords(reply: Buffer): string | undefined {
  const code = reply.length === 2 && (reply[0] ?? 0) > 0x80 ? reply.readUInt8(1) : 0
  return isUnitGone(code) ? EXCEPTION_WORDS[code] : undefined
}

/** Request for `count` registers or bits from `start`. */
export function readRequest(area: Area, start: number, count: number): Buffer {
  const pdu = Buffer.alloc(5)
  pdu.writeUInt8(READ_FUNCTION[area], 0)
  pdu.writeUInt16BE(start, 1)
  pdu.writeUInt16BE(count, 3)
  return pdu
}

/** Request that writes registers: function 6 for one, 16 for more, or always 16. */
export function writeRegistersRequest(start: number, registers: readonly number[], isAlwaysMultiple = false): Buffer {
  const [only] = registers
  if (registers.length === 1 && only !== undefined && !isAlwaysMultiple) return single(WRITE_REGISTER, start, only)
  const pdu = multiple(WRITE_REGISTERS, { start, count: registers.length, bytes: registers.length * 2 })
  for (const [i, register] of registers.entries()) pdu.writeUInt16BE(register, 6 + i * 2)
  return pdu
}

/** Request that writes coils: function 5 for one, 15 for more, or always 15. */
export function writeCoilsRequest(start: number, coils: readonly boolean[], isAlwaysMultiple = false): Buffer {
  if (coils.length === 1 && !isAlwaysMultiple) return single(WRITE_COIL, start, coils[0] ? 0xff00 : 0)
  const pdu = multiple(WRITE_COILS, { start, count: coils.length, bytes: Math.ceil(coils.length / 8) })
  for (const [i, on] of coils.entries()) {
    const at = 6 + (i >> 3)
    if (on) pdu.writeUInt8(pdu.readUInt8(at) | (1 << (i & 7)), at)
  }
  return pdu
}

/** Request that sets or clears one bit of a register and leaves the others to the device (function 22). */
export function maskWriteRequest(register: number, bit: number, isSet: boolean): Buffer {
  const pdu = Buffer.alloc(7)
  pdu.writeUInt8(MASK_WRITE, 0)
  pdu.writeUInt16BE(register, 1)
  pdu.writeUInt16BE(0xffff ^ (1 << bit), 3)
  pdu.writeUInt16BE(isSet ? 1 << bit : 0, 5)
  return pdu
}

function single(code: number, address: number, value: number): Buffer {
  const pdu = Buffer.alloc(5)
  pdu.writeUInt8(code, 0)
  pdu.writeUInt16BE(address, 1)
  pdu.writeUInt16BE(value, 3)
  return pdu
}

function multiple(code: number, size: { start: number; count: number; bytes: number }): Buffer {
  const pdu = Buffer.alloc(6 + size.bytes)
  pdu.writeUInt8(code, 0)
  pdu.writeUInt16BE(size.start, 1)
  pdu.writeUInt16BE(size.count, 3)
  pdu.writeUInt8(size.bytes, 5)
  return pdu
}

/**
 * Data bytes of a reply to a read request. Throws ModbusException when the device refused, FrameError when the reply
 * does not fit the request: then nothing that follows on the connection can be trusted.
 */
export function readReply(request: Buffer, reply: Buffer): Buffer {
  checkFunction(request, reply)
  const code = request.readUInt8(0)
  const count = request.readUInt16BE(3)
  const expected = code <= 2 ? Math.ceil(count / 8) : count * 2
  if (reply.length !== expected + 2 || reply.readUInt8(1) !== expected)
    throw new FrameError(`Reply with ${reply.length - 2} data bytes where ${expected} were asked for`)
  return reply.subarray(2)
}

/** Checks the reply to a write: it repeats the request, of a write to several only function, start and count. */
export function checkWriteReply(request: Buffer, reply: Buffer): void {
  checkFunction(request, reply)
  const isRepeatedWhole = request[0] === MASK_WRITE
  if (!reply.equals(isRepeatedWhole ? request : request.subarray(0, 5)))
    throw new FrameError('The reply to a write repeats something else')
}

function checkFunction(request: Buffer, reply: Buffer): void {
  const asked = request.readUInt8(0)
  const code = reply.readUInt8(0)
  if (code === (asked | 0x80)) throw new ModbusException(reply.length > 1 ? reply.readUInt8(1) : 0)
  if (code !== asked) throw new FrameError(`Reply with function ${code} to a request with function ${asked}`)
}
