import { describe, expect, it } from 'vitest'
import { authorsOf } from './authors.ts'
import {
  type DraftFacts,
  downtimeWithin,
  draftSummary,
  durationText,
  missingOf,
  trendSlice,
  whySkeleton,
} from './draft.ts'
import { type RetroIntent, type RetroState, retroRefusal } from './state.ts'

const facts: DraftFacts = {
  number: 'INC-2026-000001',
  asset: { en: 'Air compressor 1', 'zh-CN': '空压机 1' },
  startedAt: new Date('2026-03-01T02:58:00Z'),
  restoredAt: new Date('2026-03-01T03:40:00Z'),
  restoredBy: 'state-tag',
  downtimeSeconds: 2530,
  alarms: [
    { name: { en: 'Temperature high-high', 'zh-CN': '温度高高' }, isFirstOut: true },
    { name: { en: 'Trip', 'zh-CN': '跳机' }, isFirstOut: false },
  ],
  clocks: [
    { clock: 'accept', status: 'met', seconds: 70 },
    { clock: 'arrive', status: 'missed', seconds: 1200 },
  ],
  people: [
    { name: '张伟', acceptedAt: new Date('2026-03-01T02:59:10Z') },
    { name: '王强', acceptedAt: null },
  ],
  workOrders: [
    { number: 'WO-2026-000001', failure: { mode: 'overheating', cause: 'fan belt', remedy: 'belt replaced' } },
  ],
}

describe('the drafted summary of a retro', () => {
  it('tells first-out, people, work, end and what was late, in both languages', () => {
    const { en, 'zh-CN': zh } = draftSummary(facts)
    expect(en).toBe(
      'On Air compressor 1, Temperature high-high came first at 2026-03-01 02:58 UTC; 1 more followed. 张伟 accepted (2 called). ' +
        'WO-2026-000001: overheating; cause fan belt; remedy belt replaced. ' +
        'It ran again at 2026-03-01 03:40 UTC (proven by its state tag), after 42 min 10 s of downtime. Over target: arrive.',
    )
    expect(zh).toContain('空压机 1于 2026-03-01 02:58（UTC）首出「温度高高」')
    expect(zh).toContain('停机 42 分 10 秒')
  })

  it('says so when nobody accepted and nothing runs yet', () => {
    const { en } = draftSummary({
      ...facts,
      people: [{ name: '张伟', acceptedAt: null }],
      restoredAt: null,
      workOrders: [],
    })
    expect(en).toContain('1 people were called, none accepted. It does not run again yet.')
  })
})

describe('the parts of a retro', () => {
  it('ask five whys, the first about the first-out alarm', () => {
    const whys = whySkeleton(facts.asset, facts.alarms[0]?.name)
    expect(whys).toHaveLength(5)
    expect(whys[0]?.en).toBe('Why did "Temperature high-high" occur on Air compressor 1?')
  })

  it('count only stops inside the incident as downtime', () => {
    const intervals = [
      { state: 'unplanned-stop', since: 0, until: 60_000 },
      { state: 'running', since: 60_000, until: 100_000 },
      { state: 'idle', since: 100_000, until: null },
    ]
    expect(downtimeWithin(intervals, 30_000, 110_000)).toBe(40)
  })

  it('show the trend from ten minutes before to ten minutes after', () => {
    const { from, to } = trendSlice(facts.startedAt, new Date('2026-03-01T03:40:00Z'))
    expect([from.toISOString(), to.toISOString()]).toEqual(['2026-03-01T02:48:00.000Z', '2026-03-01T03:50:00.000Z'])
  })

  it('name hours only when there are any', () => {
    expect(durationText(3725).en).toBe('1 h 2 min 5 s')
    expect(durationText(65)['zh-CN']).toBe('1 分 5 秒')
  })
})

describe('the way of a retro', () => {
  const complete = {
    summary: 's',
    whys: ['because', null],
    actionCount: 1,
    restoredAt: facts.restoredAt,
  }

  const step = (state: RetroState, intent: Partial<RetroIntent> & Pick<RetroIntent, 'to'>) =>
    retroRefusal(state, { missingCount: 0, isAuthor: false, ...intent })

  it('is not approved while something is missing', () => {
    const missingCount = missingOf({ ...complete, summary: null, actionCount: 0 }).length
    expect(missingCount).toBe(2)
    expect(step('in_review', { to: 'approved', missingCount })).toBe('retro.incomplete')
    expect(step('in_review', { to: 'approved', missingCount: missingOf(complete).length })).toBeUndefined()
  })

  it('goes back to its authors only with a reason', () => {
    expect(step('in_review', { to: 'drafting' })).toBe('retro.reason-required')
    expect(step('in_review', { to: 'drafting', reason: 'cause unclear' })).toBeUndefined()
  })

  it('is approved by a second person, and sent back by anybody who may', () => {
    expect(step('in_review', { to: 'approved', isAuthor: true })).toBe('retro.own-approval')
    expect(step('in_review', { to: 'drafting', isAuthor: true, reason: 'not yet' })).toBeUndefined()
  })

  it('is written by who changed the draft or sent it, not by who mends it in review', () => {
    const at = new Date(0)
    const act = (actor_id: string | null, type: string, data: object = {}) => ({ actor_id, type, data, at })
    const authors = authorsOf([
      act(null, 'retro.drafted'),
      act('zhang', 'retro.changed', { state: 'drafting' }),
      act('earlier', 'retro.changed'),
      act('zhao', 'retro.submitted'),
      act('liu', 'retro.changed', { state: 'in_review' }),
      act('wang', 'retro.returned'),
    ])
    expect([...authors]).toEqual(['zhang', 'earlier', 'zhao'])
  })

  it('is never approved past its review', () => {
    expect(step('drafting', { to: 'approved' })).toBe('retro.wrong-state')
  })
})
