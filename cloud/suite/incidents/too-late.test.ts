import { describe, expect, it } from 'vitest'
import type { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import { isTooLate } from './open.ts'

const BEGAN = Date.UTC(2026, 10, 23, 8)
const found = (parts: Partial<AlarmEvent>) =>
  ({ isLate: true, condition: 'active', eventAt: BEGAN, ...parts }) as AlarmEvent
const minutesLater = (minutes: number) => new Date(BEGAN + minutes * 60_000)

describe('an alarm that was found late', () => {
  it('calls somebody while it is active and younger than a quarter of an hour', () => {
    expect(isTooLate(found({}), minutesLater(15))).toBe(false)
    expect(isTooLate(found({}), minutesLater(15.1))).toBe(true)
    expect(isTooLate(found({ condition: 'pending-off' }), minutesLater(1))).toBe(false)
    expect(isTooLate(found({ condition: 'normal' }), minutesLater(1))).toBe(true)
  })

  it('keeps the age that the setting names', () => {
    expect(isTooLate(found({}), minutesLater(59), 60)).toBe(false)
    expect(isTooLate(found({}), minutesLater(1), 0)).toBe(true)
  })

  it('is another thing than one that was found in its time, however long the way took', () => {
    expect(isTooLate(found({ isLate: false }), minutesLater(600))).toBe(false)
  })
})
