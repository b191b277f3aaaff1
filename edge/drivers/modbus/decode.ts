import type { Scalar } from '#shared/contracts/sample.ts'
import type { ModbusAddress, RegisterType, WordOrder } from './address.ts'

/**
 * Value of an address from its own register bytes (big-endian as on the wire). 64-bit integers come back as bigint;
 * floats as the device gave them, NaN included. `bytes` is exactly as long as the address is wide.
 */
export function decodeRegisters(bytes: Buffer, address: ModbusAddress): Exclude<Scalar, null> {
  if (address.type === 'string') return decodeText(bytes, address.wordOrder)
  if (address.type === 'bit') return ((bytes.readUInt16BE(0) >> (address.bit ?? 0)) & 1) === 1
  return readNumber(reorder(bytes, address.wordOrder), address.type)
}

/** One bit of a reply to a coil or discrete read, `index` counted from the block's first bit. */
export function decodeBit(bytes: Buffer, index: number): boolean {
  return ((bytes.readUInt8(index >> 3) >> (index & 7)) & 1) === 1
}

function readNumber(bytes: Buffer, type: Exclude<RegisterType, 'bit' | 'string'>): number | bigint {
  switch (type) {
    case 'int16':
      return bytes.readInt16BE(0)
    case 'uint16':
      return bytes.readUInt16BE(0)
    case 'int32':
      return bytes.readInt32BE(0)
    case 'uint32':
      return bytes.readUInt32BE(0)
    case 'float32':
      return bytes.readFloatBE(0)
    case 'float64':
      return bytes.readDoubleBE(0)
    case 'int64':
      return bytes.readBigInt64BE(0)
    case 'uint64':
      return bytes.readBigUInt64BE(0)
  }
}

/** Puts bytes into big-endian order. ABCD is the wire's own; CDAB swaps words, BADC bytes in words, DCBA both. */
export function reorder(bytes: Buffer, order: WordOrder): Buffer {
  const copy = Buffer.from(bytes)
  if (order === 'BADC' || order === 'DCBA') copy.swap16()
  if (order === 'CDAB' || order === 'DCBA') reverseWords(copy)
  return copy
}

function reverseWords(bytes: Buffer): void {
  const words = Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16BE(i * 2))
  for (const [i, word] of words.reverse().entries()) bytes.writeUInt16BE(word, i * 2)
}

/** Text of two characters a register; byte-swapped orders hold the second one first. Ends at the first zero byte. */
function decodeText(bytes: Buffer, order: WordOrder): string {
  const straight = reorder(bytes, order === 'BADC' || order === 'DCBA' ? 'BADC' : 'ABCD')
  const end = straight.indexOf(0)
  return straight.toString('utf8', 0, end < 0 ? straight.length : end).trimEnd()
}
