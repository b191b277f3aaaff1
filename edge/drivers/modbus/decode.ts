import type { Scalar } from '#shared/contracts/sample.ts'
import { type ModbusAddress, type Packing, type RegisterType, swapsBytes, type WordOrder } from './address.ts'

/**
 * Value of an address from its own register bytes (big-endian as on the wire). A bit is counted in the register as it stands
 * on the wire, whatever the order. 64-bit integers come back as bigint; floats as
 * the device gave them, NaN included, which also stands for BCD with a digit above 9. `bytes` is exactly as long as the
 * address is wide.
 */
export function decodeRegisters(bytes: Buffer, address: ModbusAddress): Exclude<Scalar, null> {
  if (address.type === 'string') return decodeText(bytes, address.packing)
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
    case 'float16':
      return new DataView(bytes.buffer, bytes.byteOffset, 2).getFloat16(0)
    case 'float32':
      return bytes.readFloatBE(0)
    case 'float64':
      return bytes.readDoubleBE(0)
    case 'int64':
      return bytes.readBigInt64BE(0)
    case 'uint64':
      return bytes.readBigUInt64BE(0)
    case 'bcd16':
    case 'bcd32':
      return decimal(bytes.toString('hex'))
  }
}

const decimal = (digits: string): number => (/^\d+$/.test(digits) ? Number(digits) : Number.NaN)

/** Four letters as eight: for 64 bits CDAB turns all words round, BADC the bytes in each, DCBA both. */
const WIDE: Readonly<Record<string, WordOrder>> = {
  ABCD: 'ABCDEFGH',
  CDAB: 'GHEFCDAB',
  BADC: 'BADCFEHG',
  DCBA: 'HGFEDCBA',
}

/** Puts the bytes of a number into big-endian order: the letter A is the most significant byte. Undone by itself. */
export function reorder(bytes: Buffer, order: WordOrder): Buffer {
  if (order === 'ABCD' || order === 'ABCDEFGH') return bytes
  if (bytes.length === 2) return swapsBytes(order) ? Buffer.from(bytes).swap16() : bytes
  const letters = bytes.length === 8 ? (WIDE[order] ?? order) : order
  const straight = Buffer.alloc(bytes.length)
  for (let i = 0; i < bytes.length; i++) straight[letters.charCodeAt(i) - 65] = bytes[i] ?? 0
  return straight
}

/** Text in UTF-8. Ends at the first zero byte; blanks behind it are cut. */
function decodeText(bytes: Buffer, packing: Packing): string {
  const straight = characters(bytes, packing)
  const end = straight.indexOf(0)
  return straight.toString('utf8', 0, end < 0 ? straight.length : end).trimEnd()
}

function characters(bytes: Buffer, packing: Packing): Buffer {
  switch (packing) {
    case 'high-low':
      return bytes
    case 'low-high':
      return Buffer.from(bytes).swap16()
    case 'high':
      return bytes.filter((_, i) => i % 2 === 0) as Buffer
    case 'low':
      return bytes.filter((_, i) => i % 2 === 1) as Buffer
  }
}
