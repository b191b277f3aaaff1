import { Value } from 'typebox/value'
import { describe, expect, it } from 'vitest'
import { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import { createConditionLog } from './condition-events.ts'

const source = { group: 'g', edge: 'e', device: 'press' }
const report = (at: number, isActive: boolean, isAcknowledged: boolean) => ({
  ...{
    condition: 'ns=2;s=High',
    eventId: new Uint8Array(),
    source: 'Pressure',
    name: 'High',
    message: 'too high',
    comment: '',
  },
  ...{ severity: 700, at, isActive, isAcknowledged, isRetained: isActive || !isAcknowledged },
})

describe('the alarms of a device as lines of the alarm log', () => {
  it('tell each change once with its ISA state, one occurrence from raising to rest', () => {
    const log = createConditionLog(source)
    const reports = [report(1, true, false), report(1, true, false), report(2, true, true), report(3, false, true)]
    const events = reports.flatMap((one) => log.take(one, 10))
    expect(events.map(({ transition, state }) => [transition, state])).toEqual([
      ['activated', 'B'],
      ['acknowledged', 'C'],
      ['returned', 'A'],
    ])
    expect(new Set(events.map(({ occurrenceId }) => occurrenceId)).size).toBe(1)
    expect(events[0]).toMatchObject({ tag: 'Pressure', alarm: 'High', priority: 'high', isRaised: true, count: 1 })
    for (const event of events) expect(Value.Check(AlarmEvent, event)).toBe(true)
    expect(log.take(report(4, true, false), 10)[0]?.occurrenceId).not.toBe(events[0]?.occurrenceId)
  })

  it('have the same ids when a restarted edge is told of what stands again', () => {
    const ids = () =>
      createConditionLog(source)
        .take(report(1, true, false), 10)
        .map(({ id }) => id)
    expect(ids()).toEqual(ids())
  })

  it('stay one occurrence when an unacknowledged alarm returns and comes again', () => {
    const log = createConditionLog(source)
    const events = [report(1, true, false), report(2, false, false), report(3, true, false)].flatMap((one) =>
      log.take(one, 9),
    )
    expect(events.map(({ transition, state, count }) => [transition, state, count])).toEqual([
      ['activated', 'B', 1],
      ['returned', 'D', 1],
      ['activated', 'B', 2],
    ])
  })
})
