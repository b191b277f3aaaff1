import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import { decode, encode, parsePlace, toEngineering, toRaw, type WordOrder } from './register-codec.ts'

const tag = (of: Partial<ProfileTag>): ProfileTag => ({
  tag: 't',
  name: { en: 'T', 'zh-CN': '特' },
  address: 'holding:0',
  type: 'uint16',
  ...of,
})
const hex = (of: Partial<ProfileTag>, raw: number | bigint | string, order: WordOrder) =>
  encode(tag(of), raw, order).toString('hex')
const ORDERS: readonly WordOrder[] = ['ABCD', 'CDAB', 'BADC', 'DCBA']

describe('the registers of a value', () => {
  it('follow the word order of the device', () => {
    expect(ORDERS.map((o) => hex({ type: 'uint32' }, 0x0a0b0c0d, o))).toEqual([
      '0a0b0c0d',
      '0c0d0a0b',
      '0b0a0d0c',
      '0d0c0b0a',
    ])
    expect(ORDERS.map((o) => hex({ type: 'uint64' }, 0x0102030405060708n, o))).toEqual([
      '0102030405060708',
      '0708050603040102',
      '0201040306050807',
      '0807060504030201',
    ])
    expect(hex({ type: 'float32' }, 1, 'CDAB')).toBe('00003f80')
    expect(hex({ type: 'string', length: 3 }, 'AB', 'DCBA')).toBe('424100000000')
    expect(hex({ type: 'string', length: 3, packing: 'low' }, 'AB', 'ABCD')).toBe('004100420000')
  })

  it('come back as they went in', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(...ORDERS), (value, order) => {
        expect(decode(tag({ type: 'int64' }), encode(tag({ type: 'int64' }), value, order), order)).toBe(value)
      }),
    )
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.constantFrom(...ORDERS), (value, order) => {
        expect(decode(tag({ type: 'float64' }), encode(tag({ type: 'float64' }), value, order), order)).toBe(value)
      }),
    )
  })
})

describe('the raw value of a tag', () => {
  it('is scaled, rounded and kept in the range of its type', () => {
    expect(toRaw(tag({ type: 'int16', scale: 0.1 }), -12.34, 1)).toBe(-123)
    expect(toRaw(tag({ type: 'uint16', scale: 0.01 }), 900, 1)).toBe(65_535)
    expect(toRaw(tag({ type: 'uint16' }), 4_512.4, 0.01)).toBe(65_535)
    expect(toRaw(tag({ type: 'float32', decimals: 2 }), 91.456, 1)).toBe(Math.fround(91.46))
  })

  it('says "not implemented" as the device does, and a client takes it for nothing', () => {
    const sensor = tag({ type: 'int16', invalid: [-32_768] })
    expect(toRaw(sensor, null, 0.1)).toBe(-32_768)
    expect(toEngineering(sensor, -32_768, 0.1)).toBeNull()
  })

  it('has its place, counted from the base of the manual', () => {
    expect(parsePlace('holding:12.3', 1)).toEqual({ area: 'holding', address: 11, bit: 3 })
    expect(() => parsePlace('40001', 0)).toThrow("'40001' is not a Modbus address")
  })
})
