import { describe, expect, it } from 'vitest'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import { refusalOf, type WriteAsk } from './policy.ts'

const tag = (of: Partial<ProfileTag> = {}): ProfileTag => ({
  tag: 'setpoint',
  name: { en: 'Setpoint', 'zh-CN': '设定' },
  address: 'holding:0',
  type: 'uint16',
  scale: 0.1,
  unit: 'bar',
  range: [4, 10],
  writable: true,
  ...of,
})
const refusal = (of: Partial<WriteAsk>) =>
  refusalOf({
    name: 'pump/setpoint',
    tag: tag(),
    allowed: undefined,
    value: 8,
    expected: undefined,
    sinceLastMs: undefined,
    ...of,
  })

describe('a value to be written', () => {
  it('may be written when the tag says so and the value lies in its range', () => {
    expect(refusal({})).toBeUndefined()
    expect(refusal({ allowed: ['setpoint'], sinceLastMs: 1000 })).toBeUndefined()
    expect(refusal({ tag: tag({ write: { min: 0, step: 0.1 } }), value: 0.3 })).toBeUndefined()
    expect(refusal({ tag: tag({ type: 'bit' }), value: true })).toBeUndefined()
  })

  it.each<[string, Partial<WriteAsk>, string]>([
    ['no such tag', { tag: undefined }, 'is not in the device'],
    ['read-only', { tag: tag({ writable: false }) }, "is read-only: its profile does not say 'writable: true'"],
    ['not on the list of the box', { allowed: ['other'] }, "not listed under 'writable' of its device in edge.yaml"],
    ['nothing', { value: null }, 'cannot be written without a value'],
    ['no number', { value: Number.NaN }, 'cannot hold NaN'],
    [
      'too low',
      { value: 3.9 },
      '3.9 bar is below 4 bar, the lowest that may be written to pump/setpoint. Write 4 to 10 bar.',
    ],
    ['too high', { value: 12 }, '12 bar is above 10 bar'],
    ['own bounds go before the range', { value: 9, tag: tag({ write: { max: 8 } }) }, 'Write 4 to 8 bar'],
    ['between steps', { value: 7.3, tag: tag({ write: { step: 0.5 } }) }, 'go by 0.5 from 4. Write 7.5.'],
    ['not one of the values', { value: 5, tag: tag({ write: { values: [4, 6, 8] } }) }, 'Write 4, 6 or 8.'],
    ['no expected value', { tag: tag({ write: { expected: 'required' } }) }, 'Send the expected value too'],
    ['does not fit', { value: 'warm', tag: tag({ type: 'int16' }) }, "'warm' is no number"],
    ['too large a raw value', { value: 7000, tag: tag({ range: [0, 9000] }) }, 'holds 0 to 65535'],
    ['too soon', { sinceLastMs: 400 }, 'takes one write in 1 s and was written 0.4 s ago. Send it again in 0.6 s'],
    ['too soon by its own word', { sinceLastMs: 4000, tag: tag({ write: { everySeconds: 60 } }) }, 'in 56 s'],
  ])('is refused with words that say what to do: %s', (_, of, words) => {
    expect(refusal(of)).toContain(words)
  })
})
