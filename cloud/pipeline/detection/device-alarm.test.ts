import { describe, expect, it } from 'vitest'
import { occurrenceId, pointId, uuidV8 } from '#shared/alarms/index.ts'
import type { AlarmEvent, AlarmTransition } from '#shared/contracts/alarm-event.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { EdgeShard } from './edge-detection.ts'

const NOW = Date.UTC(2026, 10, 23, 8)
const PATH = 'works/line-1/press/nsu=urn:maker;s=High'
const name = { en: 'x', 'zh-CN': 'x' }
const PRESS: DeviceProfile = {
  ...{ profile: 'press', version: 1, name, assetClass: 'press', protocol: 'opcua' },
  tags: [{ tag: 'pressure', name, address: 'nsu=urn:maker;s=Pressure', type: 'float64' }],
}

function line() {
  const shard = new EdgeShard({
    edge: { org: 'org', group: 'works', edge: 'line-1' },
    ...{ points: [], machines: new Map(), memory: undefined, revision: 0, gaps: [], marks: new Map() },
    clock: () => NOW + 3_600_000,
    urgent: () => undefined,
    idle: () => undefined,
    changed: () => undefined,
  })
  shard.onBirth('press', PRESS)
  return shard
}

/** As the edge makes it, of an occurrence that began at `beganAt` s. */
function told(
  transition: AlarmTransition,
  second: number,
  beganAt: number,
  more: Partial<AlarmEvent> = {},
): AlarmEvent {
  const [point, occurrence] = [pointId(PATH), occurrenceId(PATH, 0, NOW + beganAt * 1000)]
  const eventAt = NOW + second * 1000
  return {
    id: uuidV8('alarm-event', point, occurrence, transition, eventAt, ''),
    ...{ occurrenceId: occurrence, pointId: point, group: 'works', edge: 'line-1', device: 'press', tag: 'Pressure' },
    ...{ alarm: 'High', transition, eventAt, recordedAt: eventAt, state: 'B', condition: 'active', priority: 'high' },
    ...{ isAnnunciated: true, isRaised: true, count: 1, reference: 'nsu=urn:maker;s=High', isLate: false, ...more },
  }
}

const log = (shard: EdgeShard) => shard.take('all').events.map(({ event }) => event)

describe('an alarm that a device judges itself', () => {
  it('is one point with the ids of the edge, from the first event to the end', () => {
    const shard = line()
    const events = [told('activated', 1, 1), told('acknowledged', 2, 1, { comment: 'seen' }), told('returned', 3, 1)]
    for (const event of events) shard.onAlarmEvent(event)
    const logged = log(shard)
    expect(logged.map(({ transition, state }) => [transition, state])).toEqual([
      ['activated', 'B'],
      ['acknowledged', 'C'],
      ['returned', 'A'],
      ['closed', 'A'],
    ])
    expect(logged.slice(0, 3).map(({ id }) => id)).toEqual(events.map(({ id }) => id))
    expect(logged[1]).toMatchObject({ comment: 'seen', by: '', priority: 'high' })
    expect(logged[0]).toMatchObject({ pointId: pointId(PATH), occurrenceId: events[0]?.occurrenceId, isRaised: true })
  })

  it('is not changed by what is sent again, however late', () => {
    const shard = line()
    const first = [told('activated', 1, 1), told('acknowledged', 2, 1), told('returned', 3, 1)]
    for (const event of [...first, ...first, told('activated', 10, 10)]) shard.onAlarmEvent(event)
    for (const event of first) shard.onAlarmEvent(event)
    expect(log(shard).map(({ transition }) => transition)).toEqual([
      'activated',
      'acknowledged',
      'returned',
      'closed',
      'activated',
    ])
    expect([...shard.points.all()][0]?.state).toMatchObject({ phase: 'active', isAcked: false })
  })

  it('stays when the profile of the device is bound anew, which knows nothing of it', () => {
    const shard = line()
    shard.onAlarmEvent(told('activated', 1, 1))
    shard.onBirth('press', { ...PRESS, version: 2 })
    expect([...shard.points.all()].map(({ isRetired }) => isRetired)).toEqual([false])
  })

  it('has the priority that the device raised it with last', () => {
    const shard = line()
    shard.onAlarmEvent(told('activated', 1, 1))
    shard.onAlarmEvent(told('returned', 2, 1, { priority: 'low' }))
    shard.onAlarmEvent(told('activated', 3, 1, { priority: 'critical' }))
    expect(log(shard).map(({ priority }) => priority)).toEqual(['high', 'high', 'critical'])
  })

  it('is left alone when its time cannot be', () => {
    const shard = line()
    shard.onAlarmEvent(told('activated', 10 * 86_400, 1))
    expect(log(shard)).toEqual([])
    expect(shard.implausibleSamples).toBe(1)
  })
})
