import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sampleOf } from './decode.ts'
import { EncodeError, encodeValue } from './encode.ts'

const raw = (dataType: number, value: unknown) => ({
  ...{ dataType, isArray: false, value, status: 0, statusName: 'Good', sourceAt: 0 },
})
const readBack = (dataType: number, value: Parameters<typeof encodeValue>[1]) =>
  sampleOf('t', raw(dataType, encodeValue(dataType, value)), 0).value

describe('a value written to a node', () => {
  it('reads back as it was written, in the type of the node', () => {
    fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (v) => readBack(8, v) === v))
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (v) => readBack(9, v) === v))
    fc.assert(fc.property(fc.integer({ min: -32_768, max: 32_767 }), (v) => readBack(4, v) === v))
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (v) => Object.is(readBack(11, v), v)))
    fc.assert(fc.property(fc.boolean(), (v) => readBack(1, v) === v))
    fc.assert(fc.property(fc.string(), (v) => readBack(12, v) === v))
  })

  it.each([
    [1, 2, 'on or off'],
    [3, 256, '0 to 255'],
    [4, 1.5, '-32768 to 32767'],
    [9, -1n, '0 to 18446744073709551615'],
    [8, 'x', 'a whole number'],
    [11, Number.NaN, 'a finite number'],
    [12, 5, 'text'],
    [22, 5, 'cannot be written'],
  ])('of type %s is refused when it is %s: the node takes %s', (dataType, value, why) => {
    expect(() => encodeValue(dataType, value)).toThrow(EncodeError)
    expect(() => encodeValue(dataType, value)).toThrow(why)
  })
})
