import { describe, expect, it } from 'vitest'
import type { ModbusAddress, RegisterType, WordOrder } from './address.ts'
import { decodeBit, decodeRegisters } from './decode.ts'

const at = (type: RegisterType, wordOrder: WordOrder = 'ABCD', bit?: number): ModbusAddress => ({
  span: { area: 'holding', start: 0, width: 1 },
  type,
  wordOrder,
  packing: 'high-low',
  ...(bit === undefined ? {} : { bit }),
  written: 'holding:0',
})
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

describe('a value in registers', () => {
  it('is read in each word order, here 123456.789 as a float', () => {
    expect(decodeRegisters(hex('47F1 2065'), at('float32', 'ABCD'))).toBeCloseTo(123456.79, 2)
    expect(decodeRegisters(hex('2065 47F1'), at('float32', 'CDAB'))).toBeCloseTo(123456.79, 2)
    expect(decodeRegisters(hex('F147 6520'), at('float32', 'BADC'))).toBeCloseTo(123456.79, 2)
    expect(decodeRegisters(hex('6520 F147'), at('float32', 'DCBA'))).toBeCloseTo(123456.79, 2)
  })

  it('keeps every digit of 64 bits', () => {
    expect(decodeRegisters(hex('7FFF FFFF FFFF FFFF'), at('int64'))).toBe(9223372036854775807n)
    expect(decodeRegisters(hex('FFFF FFFF FFFF FFFF'), at('uint64'))).toBe(18446744073709551615n)
    expect(decodeRegisters(hex('CDEF 89AB 4567 0123'), at('uint64', 'CDAB'))).toBe(0x0123456789abcdefn)
  })

  it('knows the sign', () => {
    expect(decodeRegisters(hex('FFFE'), at('int16'))).toBe(-2)
    expect(decodeRegisters(hex('FFFE'), at('uint16'))).toBe(65534)
    expect(decodeRegisters(hex('FFFF FFFE'), at('int32'))).toBe(-2)
    expect(decodeRegisters(hex('FFFF FFFE'), at('uint32'))).toBe(4294967294)
    expect(decodeRegisters(hex('C000 0000 0000 0000'), at('float64'))).toBe(-2)
  })

  it('is a bit counted from the lowest', () => {
    expect([0, 1, 15].map((bit) => decodeRegisters(hex('8002'), at('bit', 'ABCD', bit)))).toEqual([false, true, true])
    expect([0, 8, 9].map((i) => decodeBit(hex('01 02'), i))).toEqual([true, false, true])
  })

  it('is text up to the first zero, packed as the device packs it', () => {
    expect(decodeRegisters(Buffer.from('GA37 \0\0x'), at('string'))).toBe('GA37')
    expect(decodeRegisters(Buffer.from('AG73'), { ...at('string'), packing: 'low-high' })).toBe('GA37')
    expect(decodeRegisters(Buffer.from('G-A-'), { ...at('string'), packing: 'high' })).toBe('GA')
    expect(decodeRegisters(Buffer.from('-G-A'), { ...at('string'), packing: 'low' })).toBe('GA')
  })

  it('is a half float', () => {
    expect(decodeRegisters(hex('3E00'), at('float16'))).toBe(1.5)
    expect(decodeRegisters(hex('7BFF'), at('float16'))).toBe(65_504)
    expect(decodeRegisters(hex('003E'), at('float16', 'BADC'))).toBe(1.5)
  })

  it('is decimal digits, and no number when one of them is above 9', () => {
    expect(decodeRegisters(hex('1234'), at('bcd16'))).toBe(1234)
    expect(decodeRegisters(hex('5678 1234'), at('bcd32', 'CDAB'))).toBe(12_345_678)
    expect(decodeRegisters(hex('12A4'), at('bcd16'))).toBeNaN()
  })

  it.each<[WordOrder, string]>([
    ['ABCDEFGH', '0102 0304 0506 0708'],
    ['EFGHABCD', '0506 0708 0102 0304'],
    ['CDABGHEF', '0304 0102 0708 0506'],
    ['GHEFCDAB', '0708 0506 0304 0102'],
    ['BADCFEHG', '0201 0403 0605 0807'],
    ['FEHGBADC', '0605 0807 0201 0403'],
    ['DCBAHGFE', '0403 0201 0807 0605'],
    ['HGFEDCBA', '0807 0605 0403 0201'],
  ])('of 64 bits is read in the order %s', (order, wire) => {
    expect(decodeRegisters(hex(wire), at('uint64', order))).toBe(0x0102030405060708n)
  })
})
