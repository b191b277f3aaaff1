import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { publish, publishedType } from '#edge/acquisition/publish.ts'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import { isThere, rawOf } from './raw-value.ts'

const tag = (of: Partial<ProfileTag>): ProfileTag => ({
  tag: 't',
  name: { en: 't', 'zh-CN': 't' },
  address: 'holding:0',
  type: 'int16',
  ...of,
})

describe('the raw value of a published one', () => {
  it('undoes what acquisition does with it, whatever scale, offset and exponent', () => {
    const raw = fc.integer({ min: -32_768, max: 32_767 })
    const scales = fc.constantFrom(1, 0.1, 0.01, 0.5, 2, 10, -0.1, 0.03)
    fc.assert(
      fc.property(
        raw,
        scales,
        fc.integer({ min: -50, max: 50 }),
        fc.integer({ min: -4, max: 4 }),
        (value, scale, offset, exponent) => {
          const t = tag({ scale, offset, scaleFactor: 'holding:9' })
          const published = publish({ value, exponent, quality: 192 }, t, publishedType(t)).value
          expect(rawOf(published as number, t, exponent)).toBe(value)
        },
      ),
    )
  })

  it('keeps every digit of 64 bits', () => {
    expect(rawOf(9_007_199_254_740_993n, tag({ type: 'uint64' }))).toBe(9_007_199_254_740_993n)
    expect(rawOf('9007199254740993', tag({ type: 'int64' }))).toBe(9_007_199_254_740_993n)
  })

  it('is the nearest that the device can hold', () => {
    expect(rawOf(60.04, tag({ scale: 0.1 }))).toBe(600)
    expect(rawOf(0.1, tag({ type: 'float32' }))).toBe(Math.fround(0.1))
    expect(() => rawOf(4000, tag({ scale: 0.1 }))).toThrow('the device would need 40000, and it holds -32768 to 32767')
  })
})

describe('a value read back', () => {
  const wanted = { raw: 600, value: 60 }

  it('is there when its raw value is the one written', () => {
    expect(isThere(600, wanted, { published: 60, tolerance: 0 })).toBe(true)
    expect(isThere(601, wanted, { published: 60.1, tolerance: 0 })).toBe(false)
    expect(isThere('GA', { raw: 'GA ', value: 'GA ' }, { published: 'GA', tolerance: 0 })).toBe(true)
    expect(isThere(2n ** 60n, { raw: 2n ** 60n + 1n, value: 2n ** 60n + 1n }, { published: 0, tolerance: 0 })).toBe(
      false,
    )
  })

  it('is there within the tolerance', () => {
    expect(isThere(603, wanted, { published: 60.3, tolerance: 0.3 })).toBe(true)
    expect(isThere(604, wanted, { published: 60.4, tolerance: 0.3 })).toBe(false)
  })
})
