import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import { parseModbusAddress } from './address.ts'
import { encodeRegisters } from './encode.ts'
import { interpretRegisters } from './interpret.ts'

type Written = Pick<ProfileTag, 'type'> & Partial<ProfileTag>

const registersOf = (value: number | bigint | string, of: Written) =>
  encodeRegisters(value, parseModbusAddress({ tag: 't', name: { en: 't', 'zh-CN': 't' }, address: 'holding:0', ...of }))
const best = (registers: readonly number[], shows?: number) =>
  interpretRegisters(registers, shows === undefined ? {} : { shows })[0]

describe('registers of an unknown type', () => {
  it('are read in every type and order that they suffice for', () => {
    expect(interpretRegisters([1])).toHaveLength(4 * 2 + 4)
    expect(interpretRegisters([1, 2])).toHaveLength(4 * 2 + 4 * 4 + 4)
    expect(interpretRegisters([1, 2, 3, 4])).toHaveLength(4 * 2 + 4 * 4 + 3 * 8 + 4)
    expect(interpretRegisters([])).toEqual([])
  })

  it('are the value that was written, among all others', () => {
    const of = fc.constantFrom<Written>(
      { type: 'float32', wordOrder: 'DCBA' },
      { type: 'int32', wordOrder: 'CDAB' },
      { type: 'uint32', wordOrder: 'BADC' },
    )
    fc.assert(
      fc.property(of, fc.integer({ min: 0, max: 1_000_000 }), (written, value) => {
        const found = interpretRegisters(registersOf(value, written)).filter(
          ({ type, wordOrder }) => type === written.type && wordOrder === written.wordOrder,
        )
        expect(found).toMatchObject([{ value }])
      }),
    )
  })

  it.each<[number | bigint | string, Written]>([
    [230.1, { type: 'float32', wordOrder: 'ABCD' }],
    [49.98, { type: 'float32', wordOrder: 'CDAB' }],
    [-12.5, { type: 'float32', wordOrder: 'BADC' }],
    [-18.75, { type: 'float32', wordOrder: 'BADC' }],
    [1013.25, { type: 'float32', wordOrder: 'DCBA' }],
    [123_456, { type: 'uint32', wordOrder: 'ABCD' }],
    [98_765, { type: 'uint32', wordOrder: 'CDAB' }],
    [230.123456, { type: 'float64', wordOrder: 'GHEFCDAB' }],
    ['SC-132 v4.2', { type: 'string', length: 8, packing: 'high-low' }],
    ['GA37', { type: 'string', length: 4, packing: 'low' }],
    [49.98123, { type: 'float32', wordOrder: 'CDAB' }],
    [2301, { type: 'uint16', wordOrder: 'ABCD' }],
  ])('are most plausibly %s as %o', (value, of) => {
    const { type, wordOrder, packing } = of
    const found = best(registersOf(value, of))
    expect(found).toMatchObject({
      type,
      isMostPlausible: true,
      ...(wordOrder && { wordOrder }),
      ...(packing && { packing }),
    })
    if (typeof value === 'number') expect(Number(found?.value)).toBeCloseTo(value, 3)
  })

  it('are found by what the display shows, with the scale', () => {
    expect(best([2301], 230.1)).toMatchObject({ type: 'uint16', value: 2301, scale: 0.1 })
    expect(best(registersOf(500_123, { type: 'int32', wordOrder: 'CDAB' }), 500.1)).toMatchObject({
      type: 'uint32',
      wordOrder: 'CDAB',
      scale: 0.001,
    })
    expect(best(registersOf(49.98, { type: 'float32', wordOrder: 'DCBA' }), 50)).toMatchObject({
      type: 'float32',
      wordOrder: 'DCBA',
      scale: 1,
    })
  })

  it('that can be nothing shown have no most plausible reading', () => {
    expect(interpretRegisters([1, 2], { shows: 777 }).some(({ isMostPlausible }) => isMostPlausible)).toBe(false)
  })
})
