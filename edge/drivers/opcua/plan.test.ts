import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type PlannedItem, planItems } from './plan.ts'
import { SERVERS, serverProfile } from './server-profile.ts'

const itemsOf = (periods: readonly number[]): PlannedItem[] =>
  periods.map((everyMs, index) => ({ index, nodeId: `i=${index}`, everyMs }))
const UNKNOWN = serverProfile({ server: 'unknown' })

describe('the plan of monitored items', () => {
  it('has a subscription for each publishing interval: twice as often as sampled, at least once a second', () => {
    const { subscriptions } = planItems(itemsOf([100, 1000, 10_000, 60_000, 200]), 100, UNKNOWN)
    expect(
      subscriptions.map(({ publishingMs, batches }) => [publishingMs, batches.flat().map((i) => i.handle)]),
    ).toEqual([
      [100, [0, 4]],
      [500, [1]],
      [1000, [2, 3]],
    ])
  })

  it('gives each item a queue for one publishing interval and two more', () => {
    const { subscriptions } = planItems(itemsOf([50, 70, 200]), 200, UNKNOWN)
    expect(subscriptions[0]?.batches[0]?.map(({ queueSize }) => queueSize)).toEqual([6, 5, 3])
  })

  it('asks no deadband of a server that has none', () => {
    const items = itemsOf([100]).map((item) => ({ ...item, deadband: { absolute: 1 } }))
    const deadbandAt = (server: (typeof SERVERS)[number]) =>
      planItems(items, 100, serverProfile({ server })).subscriptions[0]?.batches[0]?.[0]?.deadband
    expect([deadbandAt('unknown'), deadbandAt('s7-1200')]).toEqual([{ absolute: 1 }, undefined])
  })

  it('asks for each item once or names it as beyond the server, never more at a time or in all than the server takes', () => {
    const period = fc.constantFrom(50, 200, 1000, 10_000)
    fc.assert(
      fc.property(fc.array(period, { maxLength: 1500 }), fc.constantFrom(...SERVERS), (periods, server) => {
        const profile = serverProfile({ server })
        const { subscriptions, beyond } = planItems(itemsOf(periods), 100, profile)
        const batches = subscriptions.flatMap((one) => one.batches)
        const handles = [...batches.flat().map(({ handle }) => handle), ...beyond.map(({ index }) => index)]
        expect(handles.toSorted((a, b) => a - b)).toEqual(periods.map((_, i) => i))
        expect(Math.max(0, ...batches.map(({ length }) => length))).toBeLessThanOrEqual(profile.batch)
        expect(batches.flat().length).toBeLessThanOrEqual(profile.maxItems)
      }),
      { numRuns: 50 },
    )
  })
})

describe('the profile of a server', () => {
  it('is what the server takes, and its batch what edge.yaml says when it says so', () => {
    expect(serverProfile({ server: 's7-1200' })).toEqual({ batch: 100, maxItems: 1000, hasFilter: false })
    expect(serverProfile({ server: 's7-1500' })).toMatchObject({ batch: 500, maxItems: 10_000 })
    expect(serverProfile({ server: 'kepware' }).batch).toBe(1000)
    expect(serverProfile({ server: 'ignition', batch: 7 }).batch).toBe(7)
    expect(UNKNOWN.batch).toBe(50)
  })
})
