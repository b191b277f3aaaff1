import { describe, expect, it } from 'vitest'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import { publish, publishedType, type Raw } from './publish.ts'

const tag = (of: Partial<ProfileTag> = {}): ProfileTag => ({
  tag: 't',
  name: { en: 'T', 'zh-CN': 'T' },
  address: 'holding:1',
  type: 'int16',
  ...of,
})
const raw = (value: Raw['value'], of: Partial<Raw> = {}): Raw => ({ value, quality: 192, ...of })
const published = (r: Raw, t: ProfileTag) => publish(r, t, publishedType(t)).value

describe('the published type', () => {
  it('is the profile’s word, else double when scaled, else the device’s own', () => {
    expect(publishedType(tag())).toBe('int16')
    expect(publishedType(tag({ type: 'bit' }))).toBe('boolean')
    expect(publishedType(tag({ type: 'float32' }))).toBe('float')
    expect(publishedType(tag({ scale: 0.1 }))).toBe('double')
    expect(publishedType(tag({ scale: 0.1, publish: 'float' }))).toBe('float')
  })
})

describe('a raw value', () => {
  it('is scaled and shifted without the dust of binary fractions', () => {
    expect(published(raw(2301), tag({ scale: 0.1 }))).toBe(230.1)
    expect(published(raw(-7), tag({ scale: 0.01, offset: 20 }))).toBe(19.93)
    expect(published(raw(50), tag({ scale: 2.5 }))).toBe(125)
  })

  it('takes the power of ten that the device gives with it', () => {
    expect(published(raw(4999, { exponent: -2 }), tag({ scaleFactor: 'holding:9' }))).toBe(49.99)
    expect(published(raw(12, { exponent: 3 }), tag({ scaleFactor: 'holding:9' }))).toBe(12_000)
  })

  it('is bad, with the reason, when the device says that it does not measure this', () => {
    const t = tag({ type: 'uint16', invalid: [65_535], scale: 0.1 })
    expect(publish(raw(65_535), t, 'double')).toEqual({
      value: null,
      quality: 0,
      reason: 'the device says that it does not measure this',
    })
  })

  it('is bad when it is no number', () => {
    expect(publish(raw(Number.NaN), tag({ type: 'float32' }), 'float')).toMatchObject({ value: null, quality: 0 })
  })

  it('is bad when it does not fit the type under which it is published', () => {
    expect(publish(raw(300), tag({ publish: 'uint8' }), 'uint8')).toMatchObject({ value: null, quality: 0 })
  })

  it('keeps every digit of a 64-bit integer', () => {
    expect(published(raw(9_007_199_254_740_993n), tag({ type: 'uint64' }))).toBe(9_007_199_254_740_993n)
  })

  it('keeps every digit when scale and offset are whole, also of what means "not implemented"', () => {
    const t = tag({ type: 'uint64', scale: 10, publish: 'uint64', invalid: ['18446744073709551615'] })
    expect(published(raw(900_719_925_474_099_3n), t)).toBe(90_071_992_547_409_930n)
    expect(publish(raw(18_446_744_073_709_551_615n), t, 'uint64')).toMatchObject({ value: null, quality: 0 })
    expect(publish(raw(18_446_744_073_709_551_614n), { ...t, scale: 1 }, 'uint64')).toMatchObject({ quality: 192 })
  })

  it('is kept within what its profile clamps it to', () => {
    const t = tag({ scale: 0.1, clamp: [0, 100] })
    expect([-3, 500, 1007].map((value) => published(raw(value), t))).toEqual([0, 50, 100])
  })

  it('becomes what its published type wants', () => {
    expect(published(raw(3), tag({ publish: 'boolean' }))).toBe(true)
    expect(published(raw(3), tag({ publish: 'string' }))).toBe('3')
    expect(published(raw(3), tag({ publish: 'int64' }))).toBe(3n)
    expect(published(raw(true), tag({ type: 'bit', publish: 'uint8' }))).toBe(1)
  })
})
