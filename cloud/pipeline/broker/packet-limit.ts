import type { Socket } from 'node:net'

/** Lengths as MQTT frames say them, and what is read of the frame under way. */
interface Frame {
  /** Bytes of the body still to come; while the header is read, 0. */
  left: number
  /** Of the variable length: bytes seen (0 before the packet type) and value so far. */
  headerBytes: number
  length: number
}

/**
 * Calls `onTooLong`, once, when a connection announces a packet longer than allowed, before its body is gathered: the
 * broker's parser keeps up to 256 MB of one packet in memory. Call after the broker has taken the socket, because it then
 * only looks on.
 */
export function limitPackets(socket: Socket, limit: () => number, onTooLong: (sizeBytes: number) => void): void {
  const frame: Frame = { left: 0, headerBytes: 0, length: 0 }
  socket.on('data', (chunk: Buffer) => {
    const sizeBytes = longestAnnounced(frame, chunk, limit())
    if (sizeBytes === undefined) return
    onTooLong(sizeBytes)
    socket.removeAllListeners('data')
  })
}

/** Follows the frames through a chunk; the size of the first packet over the limit, else undefined. */
function longestAnnounced(frame: Frame, chunk: Buffer, limit: number): number | undefined {
  let at = 0
  while (at < chunk.length) {
    if (frame.left > 0) {
      const taken = Math.min(frame.left, chunk.length - at)
      frame.left -= taken
      at += taken
    } else {
      readHeaderByte(frame, chunk[at] ?? 0)
      at += 1
      if (frame.left > limit) return frame.left
    }
  }
  return undefined
}

/** MQTT 3.1.1, 2.2.3: seven bits a byte, least significant first, the eighth says that another follows. */
function readHeaderByte(frame: Frame, byte: number): void {
  if (frame.headerBytes === 0) {
    frame.headerBytes = 1
    frame.length = 0
    return
  }
  frame.length += (byte & 0x7f) * 128 ** (frame.headerBytes - 1)
  frame.headerBytes += 1
  if (byte & 0x80 && frame.headerBytes <= 4) return
  frame.left = frame.length
  frame.headerBytes = 0
}
