import { describe, expect, it } from 'vitest'
import { type ClockStops, readClocks } from './clocks.ts'

const start = new Date('2026-03-01T02:58:00Z')
const later = (seconds: number) => new Date(start.getTime() + seconds * 1000)
const statuses = (stops: ClockStops, nowSeconds: number, isEnded = false) =>
  readClocks({ severity: 'S1', startedAt: start, stops, now: later(nowSeconds), isEnded }).map((c) => c.status)

describe('the seven clocks of an incident', () => {
  it('count from the first activation in event time', () => {
    const [detect, , acknowledge] = readClocks({
      severity: 'S1',
      startedAt: start,
      stops: { detect: { at: later(2) }, acknowledge: { at: later(31.5), by: 'a' } },
      now: later(60),
      isEnded: false,
    })
    expect(detect).toMatchObject({ seconds: 2, targetSeconds: 10, status: 'met' })
    expect(acknowledge).toMatchObject({ seconds: 31.5, by: 'a', status: 'met' })
  })

  it('run one at a time; the later ones wait', () => {
    const stops = { detect: { at: later(2) }, notify: { at: later(4) } }
    expect(statuses(stops, 10)).toEqual(['met', 'met', 'running', 'pending', 'pending', 'pending', 'pending'])
  })

  it('are missed when they stop late, and as soon as they are late', () => {
    const stops = { detect: { at: later(2) }, notify: { at: later(45) } }
    expect(statuses(stops, 130).slice(0, 4)).toEqual(['met', 'missed', 'missed', 'pending'])
  })

  it('stand still once the incident has ended', () => {
    expect(statuses({ detect: { at: later(2) } }, 90_000, true).slice(1)).toEqual(Array(6).fill('pending'))
  })

  it('never show a negative time when clocks of two machines disagree', () => {
    expect(
      readClocks({
        severity: 'S2',
        startedAt: start,
        stops: { detect: { at: later(-3) } },
        now: later(1),
        isEnded: false,
      })[0]?.seconds,
    ).toBe(0)
  })
})
