import { deserialize, serialize } from 'node:v8'

/** Larger frames are no messages of ours. A page of 10,000 values is under 1 MB. */
const MOST_BYTES = 256 * 1024 * 1024
const HEADER_BYTES = 4

/** A message with its length before it (4 bytes, big endian). */
export function frame(message: unknown): Buffer {
  const body = serialize(message)
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  header.writeUInt32BE(body.length)
  return Buffer.concat([header, body])
}

/** Puts frames together again from pieces of any size. @throws Error when a length is none that frame() writes. */
export function frameReader(hear: (message: unknown) => void): (piece: Buffer) => void {
  let pieces: Buffer[] = []
  let held = 0
  let wanted = HEADER_BYTES
  const take = (): Buffer => {
    const [first] = pieces
    const all = pieces.length === 1 && first ? first : Buffer.concat(pieces, held)
    const rest = all.subarray(wanted)
    pieces = rest.length > 0 ? [rest] : []
    held = rest.length
    return all.subarray(0, wanted)
  }
  let isHeader = true
  return (piece) => {
    pieces.push(piece)
    held += piece.length
    while (held >= wanted) {
      const part = take()
      if (isHeader) {
        wanted = part.readUInt32BE()
        if (wanted > MOST_BYTES) throw new Error(`A frame of ${wanted} bytes is none of ours`)
      } else {
        wanted = HEADER_BYTES
        hear(deserialize(part))
      }
      isHeader = !isHeader
    }
  }
}
