import { describe, expect, it } from 'vitest'
import type { Alarm } from '#shared/contracts/alarm.ts'
import { bulkOf, byUrgency, floodCount, groupByAsset } from './alarm-order.ts'

const alarm = (id: string, extra: Partial<Alarm> = {}): Alarm => ({
  id,
  name: { en: id, 'zh-CN': id },
  alarm: id,
  tag: 't',
  tagPath: `g/e/d/${id}`,
  asset: { id: 'asset', code: 'A', name: { en: 'A', 'zh-CN': 'A' } },
  assetPath: [],
  priority: 'low',
  class: 'process',
  state: 'C',
  flags: ['active'],
  level: null,
  value: null,
  setpoint: null,
  unit: null,
  occurrenceId: null,
  isFirstOut: false,
  activeSince: '2026-01-01T00:00:00.000Z',
  changedAt: '2026-01-01T00:00:00.000Z',
  acknowledgedBy: null,
  acknowledgedAt: null,
  shelvedUntil: null,
  incident: null,
  ...extra,
})
const ids = (alarms: readonly Alarm[]) => alarms.map((a) => a.id).join('')

describe('the alarm list', () => {
  const later = { activeSince: '2026-01-01T00:01:00.000Z' }
  const a = alarm('a', { priority: 'critical' })
  const b = alarm('b', { flags: ['active', 'unacknowledged'] })
  const c = alarm('c', { priority: 'critical', ...later })

  it('puts unacknowledged alarms first, then priority, then the newest', () => {
    expect(ids([a, b, c].sort(byUrgency))).toBe('bca')
  })

  it('groups by asset with the first-out on top of each group', () => {
    const first = alarm('f', { isFirstOut: true, priority: 'medium', ...later })
    const other = alarm('o', { asset: { id: 'other', code: 'O', name: { en: 'O', 'zh-CN': 'O' } } })
    expect(ids(groupByAsset([other, a, first]))).toBe('fao')
  })

  it('counts a flood over ten minutes', () => {
    const now = Date.parse('2026-01-01T00:10:30.000Z')
    expect(floodCount([a, c], now)).toBe(1)
  })

  it('acknowledges what is chosen, else what is shown and unacknowledged', () => {
    expect(ids(bulkOf([a, b, c], []).acknowledgeable)).toBe('b')
    expect(ids(bulkOf([a, b, c], [a]).acknowledgeable)).toBe('')
  })
})
