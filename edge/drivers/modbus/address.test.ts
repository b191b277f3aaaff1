import { describe, expect, it } from 'vitest'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import { parseModbusAddress } from './address.ts'

const tag = (of: Partial<ProfileTag>): ProfileTag => ({
  tag: 'pressure',
  name: { en: 'Pressure', 'zh-CN': '压力' },
  address: 'holding:100',
  type: 'uint16',
  ...of,
})

describe('a Modbus address', () => {
  it('names an area, a number and the width that its type needs', () => {
    expect(parseModbusAddress(tag({ type: 'float32', wordOrder: 'CDAB' }))).toMatchObject({
      span: { area: 'holding', start: 100, width: 2 },
      wordOrder: 'CDAB',
    })
  })

  it('counts from 1 when the profile says so', () => {
    expect(parseModbusAddress(tag({}), { addressBase: 1 }).span.start).toBe(99)
    expect(() => parseModbusAddress(tag({ address: 'holding:0' }), { addressBase: 1 })).toThrow('between 1 and 65536')
  })

  it.each<[Partial<ProfileTag>, string]>([
    [{ address: '40001' }, "'40001' is not an address"],
    [{ address: 'holding:70000' }, 'between 0 and 65535'],
    [{ address: 'holding:65535', type: 'float32' }, 'beyond register 65535'],
    [{ address: 'coil:3' }, "type 'bit'"],
    [{ address: 'holding:3', type: 'bit' }, 'holding:3.0 to holding:3.15'],
    [{ address: 'holding:3.4' }, "must be 'bit'"],
    [{ address: 'holding:3.16', type: 'bit' }, 'bits 0 to 15'],
    [{ type: 'string' }, "needs 'length'"],
    [{ scaleFactor: 'coil:1' }, 'must be a whole register'],
  ])('that cannot be used is refused by the name of its tag: %o', (of, words) => {
    expect(() => parseModbusAddress(tag(of))).toThrow(words)
    expect(() => parseModbusAddress(tag(of))).toThrow("Tag 'pressure'")
  })
})
