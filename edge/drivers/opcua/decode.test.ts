import { describe, expect, it } from 'vitest'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import { nodeIdOf, parseOpcuaAddress } from './address.ts'
import { type RawValue, sampleOf } from './decode.ts'

const raw = (of: Partial<RawValue>): RawValue => ({
  dataType: 11,
  isArray: false,
  value: 1.5,
  status: 0,
  statusName: 'Good',
  sourceAt: 5,
  ...of,
})
const decoded = (of: Partial<RawValue>) => sampleOf('t', raw(of), 9).value

describe('a value of an OPC UA server', () => {
  it('becomes a number, a truth, a text, or a time in ms', () => {
    expect(decoded({})).toBe(1.5)
    expect(decoded({ dataType: 1, value: true })).toBe(true)
    expect(decoded({ dataType: 12, value: 'A7' })).toBe('A7')
    expect(decoded({ dataType: 13, value: new Date(1234) })).toBe(1234)
    expect(decoded({ dataType: 21, value: { text: 'Läuft', locale: 'de' } })).toBe('Läuft')
  })

  it('keeps every digit and the sign of 64 bits', () => {
    expect(decoded({ dataType: 9, value: [0xffff_ffff, 0xffff_ffff] })).toBe(18_446_744_073_709_551_615n)
    expect(decoded({ dataType: 8, value: [0xffff_ffff, 0xffff_fffe] })).toBe(-2n)
    expect(decoded({ dataType: 8, value: [-1, -2] })).toBe(-2n)
  })

  it('is bad when it is an array, a structure or nothing', () => {
    for (const of of [
      { isArray: true, value: [1] },
      { dataType: 22, value: {} },
      { dataType: 0, value: null },
    ])
      expect(sampleOf('t', raw(of), 9)).toMatchObject({ value: null, quality: 0, reason: expect.any(String) })
  })

  it('has the quality of its status: uncertain keeps the value, bad has none', () => {
    expect(sampleOf('t', raw({ status: 0x4094_0000, statusName: 'U' }), 9)).toMatchObject({ value: 1.5, quality: 64 })
    expect(sampleOf('t', raw({ status: 0x808c_0000, statusName: 'B' }), 9)).toMatchObject({ value: null, quality: 0 })
  })

  it('is uncertain when the server’s queue ran over before it', () => {
    expect(sampleOf('t', raw({ status: 0x0000_0480 }), 9)).toMatchObject({ value: 1.5, quality: 64 })
  })

  it('takes the time of arrival when the server gives none', () => {
    expect(sampleOf('t', raw({ sourceAt: undefined }), 9).sourceAt).toBe(9)
  })
})

describe('an OPC UA address', () => {
  const parse = (address: string) =>
    parseOpcuaAddress({ tag: 'oil', name: { en: 'O', 'zh-CN': 'O' }, address, type: 'float64' } satisfies ProfileTag)

  it('finds its namespace by URI in each session, or by its number', () => {
    const namespaces = ['http://opcfoundation.org/UA/', 'urn:server', 'urn:maker:press']
    expect(nodeIdOf(parse('nsu=urn:maker:press;s=Oil.Temperature'), namespaces)).toBe('ns=2;s=Oil.Temperature')
    expect(nodeIdOf(parse('nsu=urn:elsewhere;s=Oil'), namespaces)).toBeUndefined()
    expect(nodeIdOf(parse('ns=4;i=7'), namespaces)).toBe('ns=4;i=7')
    expect(nodeIdOf(parse('i=2258'), namespaces)).toBe('ns=0;i=2258')
  })

  it.each(['Temperature', 'ns=x;s=a', 'ns=2;i=abc', 'ns=99999;i=1', 'g=1234'])(
    'that cannot be used is refused by the name of its tag: %s',
    (address) => {
      expect(() => parse(address)).toThrow("Tag 'oil'")
    },
  )
})
