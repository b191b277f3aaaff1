/**
 * Modbus RTU framing: unit, PDU, CRC-16. Source: MODBUS over Serial Line V1.02, 2.5.1 and appendix B (CRC, low byte first).
 */

const CRC_BYTES = 2
/** Longest frame. */
const MOST_BYTES = 256
const EXCEPTION_BYTES = 5
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  return crc
})

/** CRC-16 of some bytes, as Modbus computes it. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff
  for (const byte of bytes) crc = (crc >> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0)
  return crc
}

/** Bytes of one frame. */
export function encodeRtu(unit: number, pdu: Buffer): Buffer {
  const frame = Buffer.alloc(1 + pdu.length + CRC_BYTES)
  frame[0] = unit
  pdu.copy(frame, 1)
  frame.writeUInt16LE(crc16(frame.subarray(0, -CRC_BYTES)), frame.length - CRC_BYTES)
  return frame
}

/** The request whose reply is looked for. */
export interface RtuRequest {
  readonly unit: number
  readonly pdu: Buffer
}

/** What was found among the bytes that came so far. */
export interface RtuFound {
  /** PDU of the reply, when it is whole. */
  readonly reply?: Buffer
  /** Units whose whole frames answer something else: late or foreign. */
  readonly strays: readonly number[]
  /** What may still be or become a frame. */
  readonly rest: Buffer
}

/**
 * Looks for the reply to a request. RTU has no marks between frames, so what does not fit the request in unit, function and
 * length, or fails its CRC, is passed over byte by byte; a frame that begins as the reply has to is waited for.
 */
export function findReply(bytes: Buffer, request: RtuRequest): RtuFound {
  const strays: number[] = []
  let done = 0
  for (let at = 0; at < bytes.length; at++) {
    const frame = frameAt(bytes, at, request)
    if (frame === 'begun') break
    if (frame === 'none') continue
    done = at + frame.size
    if (frame.isReply) return { reply: pduOf(bytes, at, frame.size), strays, rest: bytes.subarray(done) }
    strays.push(bytes[at] ?? 0)
    at = done - 1
  }
  return { strays, rest: bytes.subarray(Math.max(done, bytes.length - MOST_BYTES)) }
}

const pduOf = (bytes: Buffer, at: number, size: number) => Buffer.from(bytes.subarray(at + 1, at + size - CRC_BYTES))

/** A whole frame; `begun`: one that begins as the reply and is not whole; `none`: no whole frame. */
type FrameAt = { readonly size: number; readonly isReply: boolean } | 'begun' | 'none'

function frameAt(bytes: Buffer, at: number, request: RtuRequest): FrameAt {
  const size = sizeAt(bytes, at)
  if (size === undefined) return 'none'
  const isReply = isReplyHead(bytes, at, request)
  if (at + size > bytes.length) return isReply ? 'begun' : 'none'
  const crc = bytes.readUInt16LE(at + size - CRC_BYTES)
  if (crc16(bytes.subarray(at, at + size - CRC_BYTES)) !== crc) return 'none'
  return { size, isReply }
}

/** True when the bytes there begin as the reply to this request must, as far as they go. */
function isReplyHead(bytes: Buffer, at: number, { unit, pdu }: RtuRequest): boolean {
  const [asked = 0] = pdu
  const [gotUnit, code, third] = [bytes[at], bytes[at + 1], bytes[at + 2]]
  if (gotUnit !== unit) return false
  if (code === undefined || code === (asked | 0x80)) return true
  if (code !== asked) return false
  const expected = dataBytes(pdu)
  return expected === undefined || third === undefined || third === expected
}

/** Data bytes that the reply to a read carries; undefined for requests of another kind. */
function dataBytes(pdu: Buffer): number | undefined {
  const code = pdu[0] ?? 0
  if (code < 1 || code > 4) return undefined
  const count = pdu.readUInt16BE(3)
  return code <= 2 ? Math.ceil(count / 8) : count * 2
}

/** Size of the reply frame that begins there; at least one byte more than there is while that is not known; undefined: none. */
function sizeAt(bytes: Buffer, at: number): number | undefined {
  const left = bytes.length - at
  const code = bytes[at + 1]
  if (code === undefined) return left + 1
  if (code > 0x80) return EXCEPTION_BYTES
  if ((code >= 1 && code <= 4) || code === 23) return left < 3 ? left + 1 : 3 + (bytes[at + 2] ?? 0) + CRC_BYTES
  return FIXED_SIZES[code]
}

/** Replies that repeat their request: 5, 6, 15, 16 and the mask write 22. */
const FIXED_SIZES: Readonly<Record<number, number>> = { 5: 8, 6: 8, 15: 8, 16: 8, 22: 10 }
