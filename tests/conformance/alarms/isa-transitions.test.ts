import { describe, expect, it } from 'vitest'
import { pointId } from '#shared/alarms/identity.ts'
import { restore } from '#shared/alarms/restore.ts'
import { isaState } from '#shared/alarms/state.ts'
import { step } from '#shared/alarms/step.ts'
import { expectTimeline, playTimeline } from '#shared/alarms/timeline.ts'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'

const text = (en: string) => ({ en, 'zh-CN': en })

const define = (parts: Partial<AlarmDefinition>): AlarmDefinition => ({
  alarm: 'temperature-high',
  name: text('Temperature high'),
  tag: 'temperature',
  priority: 'medium',
  condition: { kind: 'limit', levels: [{ level: 'H', setpoint: 90, deadband: 2 }] },
  ...parts,
})

/** High at 90 with a deadband of 2, at once. */
const AT_ONCE = define({})
/** With an on-delay of 3 s. */
const DELAYED = define({ onDelaySeconds: 3 })
const SLOW_RETURN = define({ offDelaySeconds: 3 })
const LATCHING = define({ latching: true })
const LEVELS = define({
  condition: {
    kind: 'limit',
    levels: [
      { level: 'H', setpoint: 90, deadband: 2 },
      { level: 'HH', setpoint: 100, deadband: 2, priority: 'critical' },
      { level: 'L', setpoint: 10, deadband: 2 },
      { level: 'LL', setpoint: 5, deadband: 1 },
    ],
  },
})

const ACK = { kind: 'acknowledge' } as const
const RESET = { kind: 'reset' } as const
const SHELVE = { kind: 'shelve', untilSecond: 600, comment: 'sensor is being changed' } as const
const ONE_SHOT = { ...SHELVE, kind: 'shelve-one-shot' } as const
const SUPPRESS = { kind: 'suppress', reference: 'machine-stopped' } as const
const UNSUPPRESS = { kind: 'unsuppress', reference: 'machine-stopped' } as const
const OUT = { kind: 'out-of-service', reference: 'WO-2026-000001' } as const
const BACK = { kind: 'return-to-service', comment: 'tested with a hot air gun' } as const

const transitions = (events: readonly { transition: string }[]) => events.map((event) => event.transition)

describe('ISA-18.2 transitions', () => {
  it('T1: beyond the setpoint starts the on-delay, and the setpoint itself is not beyond', () => {
    const { state } = expectTimeline(DELAYED, '91x2', '..')
    expect(state).toMatchObject({ phase: 'pending-on', since: 0 })
    expect(expectTimeline(DELAYED, '90x5', '.....').state.phase).toBe('normal')
  })

  it('T1: an inclusive setpoint is beyond itself', () => {
    const inclusive = define({ condition: { kind: 'limit', levels: [{ level: 'H', setpoint: 90, inclusive: true }] } })
    expectTimeline(inclusive, '89.9 90 89.9', '.BD')
  })

  it('T1a: without an on-delay beyond is active at once', () => {
    expectTimeline(AT_ONCE, '89 91', '.B')
  })

  it('T2: back inside during the on-delay is normal again, without deadband, and counts as fleeting', () => {
    const { state, events } = expectTimeline(DELAYED, '91x2 89.5 91x3 _', '......B')
    expect(state.fleetingBlocked).toBe(1)
    expect(events[0]?.eventAt).toBe(6000)
  })

  it('T3: the on-delay ends by timer, so it needs no further sample', () => {
    const { events } = expectTimeline(DELAYED, '91 _x4', '...BB')
    expect(events).toMatchObject([{ transition: 'activated', eventAt: 3000, isRaised: true, count: 1, value: 91 }])
  })

  it('T3: stays active inside the deadband, so it does not chatter', () => {
    expectTimeline(DELAYED, '91x4 89x6', '...BBBBBBB')
  })

  it('T3: a suppressed activation is recorded and annunciates nothing', () => {
    const { events, state } = expectTimeline(AT_ONCE, '80 91', 'GG', { 0: SHELVE })
    expect(events[1]).toMatchObject({ transition: 'activated', isAnnunciated: false, isRaised: false })
    expect(state.occurrence).toMatchObject({ isSuppressed: true, raisedAt: null })
  })

  it('T4: back by the deadband starts the off-delay, in which the alarm is still active', () => {
    expect(expectTimeline(SLOW_RETURN, '91 88x2', 'BBB').state).toMatchObject({ phase: 'pending-off', since: 1000 })
  })

  it('T4a: without an off-delay back by the deadband is returned at once', () => {
    expectTimeline(AT_ONCE, '91 88.1 88', 'BBD')
  })

  it('T5: beyond the setpoint less the deadband during the off-delay is the same activation', () => {
    const { events, state } = expectTimeline(SLOW_RETURN, '91 88x2 89 89', 'BBBBB')
    expect(transitions(events)).toEqual(['activated'])
    expect(state).toMatchObject({ phase: 'active', since: 0 })
  })

  it('T6: the off-delay ends in D when unacknowledged, in A when acknowledged', () => {
    expectTimeline(SLOW_RETURN, '91 88 _x4', 'BBBBDD')
    const { events } = expectTimeline(SLOW_RETURN, '91x2 88 _x4', 'BCCCC..', { 1: ACK })
    expect(transitions(events)).toEqual(['activated', 'acknowledged', 'returned', 'closed'])
    expect(events[2]?.eventAt).toBe(5000)
  })

  it('T6: a latching alarm returns to E, or F when acknowledged', () => {
    expectTimeline(LATCHING, '91 80x2', 'BEE')
    expectTimeline(LATCHING, '91x2 80x2', 'BCFF', { 1: ACK })
  })

  it('T7: a higher level is the same occurrence and needs a new acknowledgement when its priority is higher', () => {
    const { events } = expectTimeline(LEVELS, '91x2 101 99 97.9', 'BCBBB', { 1: ACK })
    expect(transitions(events)).toEqual(['activated', 'acknowledged', 'level-changed', 'level-changed'])
    expect(events[2]).toMatchObject({ level: 'HH', priority: 'critical', isRaised: true, setpoint: 100 })
    expect(events[3]).toMatchObject({ level: 'H', priority: 'medium', isRaised: false, eventAt: 4000 })
    expect(new Set(events.map((event) => event.occurrenceId)).size).toBe(1)
  })

  it('T7: another level of the same priority stays acknowledged, the other side does not', () => {
    expectTimeline(LEVELS, '9x2 4 _', 'BCCC', { 1: ACK })
    expectTimeline(LEVELS, '91x2 9', 'BCB', { 1: ACK })
  })

  it('T8: acknowledging leaves the condition alone and happens before what the same second brings', () => {
    const { events } = expectTimeline(AT_ONCE, '91x2 88', 'BC.', { 1: ACK })
    expect(events[1]).toMatchObject({ transition: 'acknowledged', by: 'operator', condition: 'active' })
    expectTimeline(AT_ONCE, '91 88 91', 'BDB', { 2: ACK })
  })

  it('T8: acknowledging what is acknowledged is refused', () => {
    expect(playTimeline(AT_ONCE, '80', { 0: ACK }).refusals).toEqual(['alarm.not-unacknowledged'])
  })

  it('T9: a reset needs the condition normal and the alarm acknowledged', () => {
    const acts = { 1: ACK, 4: [ACK, RESET], 7: RESET }
    const { refusals, events } = expectTimeline(LATCHING, '91x2 80 91x3 80 _', 'BCFBCCF.', acts)
    expect(refusals).toEqual(['alarm.still-active'])
    expect(transitions(events).slice(-2)).toEqual(['reset', 'closed'])
    expect(playTimeline(LATCHING, '91 80x2', { 2: RESET }).refusals).toEqual(['alarm.still-unacknowledged'])
    expect(playTimeline(AT_ONCE, '80', { 0: RESET }).refusals).toEqual(['alarm.not-latched'])
  })

  it('T10: latched and acknowledged, active again, is the same occurrence counted once more', () => {
    const { events, state } = expectTimeline(LATCHING, '91x2 80 91', 'BCFB', { 1: ACK })
    expect(state.occurrence?.count).toBe(2)
    expect(new Set(events.map((event) => event.occurrenceId)).size).toBe(1)
  })

  it('T11: a timed shelving hides the alarm and is logged with person, reason and end', () => {
    const { events } = expectTimeline(AT_ONCE, '91x3', 'BGG', { 1: SHELVE })
    expect(events[1]).toMatchObject({ by: 'operator', comment: SHELVE.comment, until: 600_000, isAnnunciated: false })
  })

  it('T11: no shelving without an end, a reason, within the maximum, and never of a highly managed alarm', () => {
    const refusal = (act: object, alarm = AT_ONCE) =>
      playTimeline(alarm, '80', { 0: { ...SHELVE, ...act } }).refusals[0]
    expect(refusal({ untilSecond: undefined })).toBe('alarm.until-required')
    expect(refusal({ untilSecond: 12 * 3600 + 1 })).toBe('alarm.until-too-late')
    expect(refusal({ comment: undefined })).toBe('alarm.reason-required')
    expect(refusal({}, define({ class: 'safety' }))).toBe('alarm.highly-managed')
  })

  it('T12: a one-shot shelving of an active alarm ends when it leaves active', () => {
    const { events } = expectTimeline(AT_ONCE, '91x2 80 91', 'BGDB', { 1: ONE_SHOT })
    expect(events.find((event) => event.transition === 'unshelved')).toMatchObject({ reason: 'one-shot-ended' })
  })

  it('T12: a one-shot shelving of a normal alarm covers the next activation', () => {
    expectTimeline(AT_ONCE, '80x2 91x2 80 91', 'GGGG.B', { 0: ONE_SHOT })
  })

  it('T12: a one-shot shelving ends at its end at the latest', () => {
    expectTimeline(AT_ONCE, '91x4', 'GGBB', { 0: { ...ONE_SHOT, untilSecond: 2 } })
  })

  it('T13: an ended shelving raises an alarm that is still active, as the same occurrence', () => {
    const { events } = expectTimeline(AT_ONCE, '91x2 _x3', 'BGGBB', { 1: [ACK, { ...SHELVE, untilSecond: 3 }] })
    expect(events.at(-1)).toMatchObject({ transition: 'unshelved', isRaised: true, eventAt: 3000, count: 1 })
    expect(events.at(-1)?.occurrenceId).toBe(events[0]?.occurrenceId)
  })

  it('T13: unshelving by hand does the same, and is refused when nothing is shelved', () => {
    expectTimeline(AT_ONCE, '91x3', 'BGB', { 1: SHELVE, 2: { kind: 'unshelve' } })
    expect(playTimeline(AT_ONCE, '80', { 0: { kind: 'unshelve' } }).refusals).toEqual(['alarm.not-shelved'])
  })

  it('T13: unshelving a returned alarm raises nothing', () => {
    const { events } = expectTimeline(AT_ONCE, '91x2 80x2', 'BGGD', { 1: SHELVE, 3: { kind: 'unshelve' } })
    expect(events.at(-1)).toMatchObject({ transition: 'unshelved', isRaised: false })
  })

  it('T14: suppression by design stands before shelving and holds until its last rule is false', () => {
    const second = { ...SUPPRESS, reference: 'first-out-follower' }
    const acts = { 1: [SHELVE, SUPPRESS], 2: second, 3: UNSUPPRESS, 4: { ...second, kind: 'unsuppress' as const } }
    expectTimeline(AT_ONCE, '91x6', 'BHHHGG', acts)
  })

  it('T14: a rule never suppresses the alarm that names the cause', () => {
    const { refusals } = expectTimeline(define({ namesCause: true }), '91x2', 'BB', { 1: SUPPRESS })
    expect(refusals).toEqual(['alarm.names-the-cause'])
  })

  it('T15: out of service stands before all, needs its work order, and ends by return to service', () => {
    expectTimeline(AT_ONCE, '80x2 91 _', '.IIB', { 1: [SUPPRESS, UNSUPPRESS, OUT], 3: BACK })
    const without = { ...OUT, reference: undefined }
    expect(playTimeline(AT_ONCE, '80', { 0: without }).refusals).toEqual(['alarm.reference-required'])
  })

  it('T16: an alarm that stays active is raised again after the re-alarm time, as often as told', () => {
    const alarm = define({ reAlarmMinutes: 0.05, reAlarmRepeats: 2 })
    const { events } = expectTimeline(alarm, '91x3 _x9', 'BCCBBCBBBBBB', { 1: ACK, 5: ACK })
    const again = events.filter((event) => event.transition === 're-alarmed')
    expect(again).toMatchObject([
      { eventAt: 3000, count: 2, isRaised: true, reason: 're-alarm' },
      { eventAt: 6000, count: 3 },
    ])
  })

  it('T17: an acknowledgement of an alarm that stays active runs out', () => {
    const alarm = define({ acknowledgeTimeoutMinutes: 0.05 })
    const { events } = expectTimeline(alarm, '91x2 _x4', 'BCCCBB', { 1: ACK })
    expect(events.at(-1)).toMatchObject({ reason: 'acknowledgement-timed-out', isRaised: true, count: 1 })
  })

  it('T18: bad quality and silence freeze the condition', () => {
    expectTimeline(AT_ONCE, '91x2 20!x3 91', 'BBBBBB')
    expectTimeline(AT_ONCE, '80 200!x2 80', '....')
    expect(expectTimeline(AT_ONCE, '91 _x3', 'BBBB', { 1: { kind: 'stale' } }).state.phase).toBe('active')
  })

  it('T18: an uncertain value is judged like a good one', () => {
    expectTimeline(AT_ONCE, '80 91? 80?', '.BD')
  })

  it('T18: bad quality and silence have alarms of their own', () => {
    expectTimeline(define({ condition: { kind: 'bad-quality' } }), '80 80!x2 80', '.BBD')
    const noData = define({ condition: { kind: 'no-data', afterSeconds: 3 } })
    expectTimeline(noData, '80x2 _x5 80', '.....BBD', { 2: { kind: 'stale' } })
  })

  it('T19: a restart anywhere gives the same state, bit for bit', () => {
    const whole = playTimeline(LEVELS, '91x3 101 80', { 1: ACK, 2: SHELVE })
    const saved = JSON.parse(JSON.stringify(whole.state)) as typeof whole.state
    expect(restore(whole.rule, saved, 99_000)).toMatchObject({ events: [], state: whole.state })
    expect(restore(whole.rule, saved, 99_000).state).toEqual(whole.state)
  })

  it('T19: an unknown shelving becomes unshelved', () => {
    const { rule, state } = playTimeline(AT_ONCE, '91x2', { 1: SHELVE })
    const broken = { ...state, shelving: { kind: 'timed' as const, since: 0 } as unknown as typeof state.shelving }
    const restored = restore(rule, broken, 5000)
    expect(isaState(restored.state)).toBe('B')
    expect(restored.events).toMatchObject([{ transition: 'unshelved', reason: 'unknown-shelving', isRaised: true }])
  })

  it('T20: an occurrence that needs it closes only when confirmed, which waits for the return', () => {
    const alarm = define({ requiresConfirmation: true })
    const confirm = { kind: 'confirm' } as const
    const { events, refusals } = expectTimeline(alarm, '91x2 80x3', 'BC...', { 1: [ACK, confirm], 3: confirm })
    expect(refusals).toEqual(['alarm.not-returned'])
    expect(transitions(events)).toEqual(['activated', 'acknowledged', 'returned', 'confirmed', 'closed'])
  })

  it('T21: active again before it was acknowledged is the same occurrence counted once more', () => {
    const { state } = expectTimeline(AT_ONCE, '91 80 91', 'BDB')
    expect(state.occurrence?.count).toBe(2)
    expectTimeline(LATCHING, '91 80 91', 'BEB')
  })

  it('T22: the last suppression by design or out of service that is lifted raises an active alarm', () => {
    const { events } = expectTimeline(AT_ONCE, '80 91 _', 'HHB', { 0: SUPPRESS, 2: UNSUPPRESS })
    expect(events.at(-1)).toMatchObject({ transition: 'unsuppressed', isRaised: true, isAnnunciated: true })
    expectTimeline(AT_ONCE, '80 91 _x2', 'IIGB', { 0: [SHELVE, OUT], 2: BACK, 3: { kind: 'unshelve' } })
  })

  it('T23: a delay starts again when the quality returns', () => {
    expectTimeline(DELAYED, '91x2 91! 91x4', '......B')
    expectTimeline(SLOW_RETURN, '91 80x2 80! 80x3 _', 'BBBBBBBD')
    expectTimeline(DELAYED, '91x2 _x2 91 _x4', '.......BB', { 2: { kind: 'stale' } })
  })

  it('T23: samples that come later, whole and in order, leave a delay where it was; missing ones begin it anew', () => {
    expectTimeline(DELAYED, '91x2 _x2 91 _x4', '....BBBBB', { 2: { kind: 'stale', isDeferred: true } })
    expectTimeline(DELAYED, '91x2 91x4', '.....B', { 2: { kind: 'gap' } })
    expectTimeline(SLOW_RETURN, '91 80x2 _ 80x4', 'BBBBBBBD', { 4: { kind: 'gap' } })
  })

  it('an occurrence opens at T3 and closes on A: the next activation is another one', () => {
    const { events } = expectTimeline(AT_ONCE, '91x2 80 91', 'BC.B', { 1: ACK })
    const ids = events.map((event) => event.occurrenceId)
    expect(transitions(events)).toEqual(['activated', 'acknowledged', 'returned', 'closed', 'activated'])
    expect(ids[3]).toBe(ids[0])
    expect(ids[4]).not.toBe(ids[0])
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('an action on another occurrence than the one seen is refused', () => {
    const act = { ...ACK, occurrenceId: pointId('another') }
    expect(playTimeline(AT_ONCE, '91x2', { 1: act }).refusals).toEqual(['alarm.other-occurrence'])
  })
})

describe('tier-0 conditions', () => {
  it('judges a rate of change over its window, also when no new value comes', () => {
    const alarm = define({
      condition: { kind: 'rate-of-change', perMinute: 60, windowSeconds: 2, direction: 'rising', deadband: 10 },
    })
    expectTimeline(alarm, '0 1 2 4 6 8 _x3', '...BBBBDD')
    expectTimeline(alarm, '8 6 4 2 0', '.....')
  })

  it('judges a discrete value by the list of abnormal ones', () => {
    const alarm = define({ condition: { kind: 'discrete', abnormal: [true, 'tripped', 7] } })
    expectTimeline(alarm, 'false true false tripped ok 7 1 0', '.BDBDBBD')
  })

  it('ignores a sample that is not younger than the last one', () => {
    const { rule, state } = playTimeline(AT_ONCE, '80x3')
    const late = step(rule, state, { kind: 'sample', at: 1500, value: 99, quality: 192 })
    expect(late.state).toBe(state)
  })
})
