import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, encode } from '#devices/simulators/register-codec.ts'
import {
  PACKINGS,
  type ProfileTag,
  REGISTER_WIDTHS,
  WIDE_WORD_ORDERS,
  WORD_ORDERS,
} from '#shared/contracts/device-profile.ts'
import { WriteError } from '../driver.ts'
import { parseModbusAddress, type RegisterType } from './address.ts'
import { decodeRegisters } from './decode.ts'
import { encodeBit, encodeRegisters } from './encode.ts'

type Value = number | bigint | string

const int = (low: number, high: number) => fc.integer({ min: low, max: high })
const VALUES: Readonly<Record<Exclude<RegisterType, 'bit'>, fc.Arbitrary<Value>>> = {
  int16: int(-32_768, 32_767),
  uint16: int(0, 65_535),
  int32: int(-(2 ** 31), 2 ** 31 - 1),
  uint32: int(0, 2 ** 32 - 1),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  float16: fc.double({ min: -65_504, max: 65_504, noNaN: true }).map(Math.f16round),
  float32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  float64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  bcd16: int(0, 9999),
  bcd32: int(0, 99_999_999),
  string: fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => cut(text.replaceAll('\0', '').trimEnd())),
}
const TYPES = Object.keys(VALUES) as (keyof typeof VALUES)[]

/** At most 8 bytes, no character torn, so that it fits 8 registers in every packing. */
function cut(text: string): string {
  const whole = [...text]
  while (Buffer.byteLength(whole.join('')) > 8) whole.pop()
  return whole.join('').trimEnd()
}

const anyTag = fc.constantFrom(...TYPES).chain((type) => {
  const orders = REGISTER_WIDTHS[type] === 4 ? [...WORD_ORDERS, ...WIDE_WORD_ORDERS] : WORD_ORDERS
  return fc.record({
    value: VALUES[type],
    tag: fc.record({
      tag: fc.constant('t'),
      name: fc.constant({ en: 't', 'zh-CN': 't' }),
      address: fc.constant('holding:7'),
      type: fc.constant(type),
      wordOrder: fc.constantFrom(...orders),
      ...(type === 'string' ? { length: fc.constant(8), packing: fc.constantFrom(...PACKINGS) } : {}),
    }),
  })
})

const bytesOf = (registers: readonly number[]) => {
  const bytes = Buffer.alloc(registers.length * 2)
  for (const [i, register] of registers.entries()) bytes.writeUInt16BE(register, i * 2)
  return bytes
}

describe('the registers of a value to be written', () => {
  it('give the value back, in every type, order and packing', () => {
    fc.assert(
      fc.property(anyTag, ({ value, tag }) => {
        const address = parseModbusAddress(tag)
        const registers = encodeRegisters(value, address)
        expect(registers).toHaveLength(address.span.width)
        expect(decodeRegisters(bytesOf(registers), address)).toEqual(value)
      }),
      { numRuns: 2000 },
    )
  })

  it('are those that the simulated devices, which share no code with the driver, write and read', () => {
    fc.assert(
      fc.property(anyTag, ({ value, tag }) => {
        const own = bytesOf(encodeRegisters(value, parseModbusAddress(tag)))
        expect(own).toEqual(encode(tag as ProfileTag, value, tag.wordOrder))
        expect(decode(tag as ProfileTag, own, tag.wordOrder)).toEqual(value)
      }),
      { numRuns: 2000 },
    )
  })

  it.each<[RegisterType, number | bigint | string | boolean, string]>([
    ['uint16', -1, "-1 does not fit 'uint16': 0 to 65535"],
    ['int16', 1.5, '1.5 is no whole number'],
    ['uint64', 18_446_744_073_709_551_616n, 'does not fit'],
    ['bcd16', 10_000, '0 to 9999'],
    ['float16', 70_000, "does not fit 'float16'"],
    ['float32', Number.NaN, 'does not fit'],
    ['float32', 'warm', "'warm' is no number"],
    ['string', 'far too long', '12 bytes and there is room for 4'],
    ['string', 5, '5 is no text'],
  ])('are not made of what cannot stand there: %s %s', (type, value, words) => {
    const tag = { tag: 't', name: { en: 't', 'zh-CN': 't' }, address: 'holding:0', type, length: 2 } as const
    expect(() => encodeRegisters(value, parseModbusAddress(tag))).toThrow(words)
    expect(() => encodeRegisters(value, parseModbusAddress(tag))).toThrow(WriteError)
  })

  it('take true, false, 1 and 0 for a bit', () => {
    expect([true, 1, 1n, false, 0].map(encodeBit)).toEqual([true, true, true, false, false])
    expect(() => encodeBit(2)).toThrow('2 is no bit')
  })
})
