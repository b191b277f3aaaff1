/**
 * Modbus TCP framing: MBAP header (transaction, protocol 0, length, unit) and PDU.
 * Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3; PDU limits: Application Protocol V1.1b3, 4.1.
 */
export interface Frame {
  readonly transaction: number
  readonly unit: number
  /** Function code and data, 1 to 253 bytes. */
  readonly pdu: Buffer
}

/** What came over the line is not Modbus: the connection cannot be trusted any more and has to be closed. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

const HEADER_BYTES = 7
const MAX_PDU_BYTES = 253

/** Bytes of one frame. Throws FrameError when the PDU is empty or too long. */
export function encodeFrame({ transaction, unit, pdu }: Frame): Buffer {
  if (pdu.length < 1 || pdu.length > MAX_PDU_BYTES) throw new FrameError(`A PDU has 1 to 253 bytes, not ${pdu.length}`)
  const frame = Buffer.alloc(HEADER_BYTES + pdu.length)
  frame.writeUInt16BE(transaction, 0)
  frame.writeUInt16BE(pdu.length + 1, 4)
  frame.writeUInt8(unit, 6)
  pdu.copy(frame, HEADER_BYTES)
  return frame
}

/** Cuts a stream of bytes into frames, whatever the pieces. Throws FrameError at the first header that cannot be one. */
export function frameReader(): (chunk: Buffer) => Frame[] {
  let pending: Buffer = Buffer.alloc(0)
  return (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    const frames: Frame[] = []
    for (let size = frameSize(pending); size !== undefined && pending.length >= size; size = frameSize(pending)) {
      const pdu = Buffer.from(pending.subarray(HEADER_BYTES, size))
      frames.push({ transaction: pending.readUInt16BE(0), unit: pending.readUInt8(6), pdu })
      pending = pending.subarray(size)
    }
    return frames
  }
}

/** Size of the frame that begins here; undefined while its header is not whole. */
function frameSize(bytes: Buffer): number | undefined {
  if (bytes.length < HEADER_BYTES) return undefined
  const protocol = bytes.readUInt16BE(2)
  const length = bytes.readUInt16BE(4)
  if (protocol !== 0) throw new FrameError(`Protocol id ${protocol} in a header, Modbus has 0`)
  if (length < 2 || length > MAX_PDU_BYTES + 1)
    throw new FrameError(`Length ${length} in a header, Modbus has 2 to 254`)
  return length + HEADER_BYTES - 1
}
