import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asJson } from '#cloud/platform/database/database.ts'
import { newId } from '#cloud/platform/id.ts'
import { pointId } from '#shared/alarms/index.ts'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { silentLog } from '#shared/log/log.ts'
import { memoryHistory } from '#tests/support/late-history.ts'
import { mortal } from '#tests/support/mortal.ts'
import { startTestDatabase, type TestDatabase } from '#tests/support/postgres.ts'
import { createDetection, type RunningDetection } from './index.ts'
import type { DetectionTables } from './tables.ts'

const START = Date.UTC(2026, 10, 23, 8)
const EPOCH = 7n
const ORG = newId()
const SECOND = 1000
const DELAY_S = 2
const RUNS = 30
const SETPOINT = 90
const TAGS = ['level', 'pressure', 'heat'] as const

const name = (en: string) => ({ en, 'zh-CN': en })
const define = (alarm: string, parts: Partial<AlarmDefinition>): AlarmDefinition => ({
  ...{ alarm, name: name(alarm), tag: '', priority: 'medium' },
  condition: { kind: 'limit', levels: [{ level: 'H', setpoint: SETPOINT }] },
  ...parts,
})
const TANK: DeviceProfile = {
  ...{ profile: 'tank', version: 1, name: name('Tank'), assetClass: 'tank', protocol: 'modbus' },
  tags: TAGS.map((tag, i) => ({ tag, name: name(tag), address: `holding:${i * 2}`, type: 'float32' as const })),
  alarms: TAGS.flatMap((tag) => [
    define(`${tag}-at-once`, { tag }),
    define(`${tag}-delayed`, { tag, onDelaySeconds: DELAY_S }),
  ]),
}

/** What may happen to an edge that accepts a sample a second and sends them in order, from the oldest unacknowledged again. */
const ACTS = [
  'send',
  'send',
  'send',
  'send',
  'lose',
  'rewind',
  'hold-over',
  'settle',
  'judge',
  'kill',
  'kill',
  'urgent',
  'urgent',
  'silence',
] as const
type Act = (typeof ACTS)[number]

const ALL = [
  ['at-once', 0],
  ['delayed', DELAY_S],
] as const

/** A time with its return, in seconds since START. */
interface Span {
  readonly at: number
  readonly returnedAt: number
}

/** What the whole signal, heard in order, says: excursions that last as long as the delay. */
function expectedOf(values: readonly number[], delay: number): Span[] {
  const found: Span[] = []
  let from: number | undefined
  values.forEach((value, n) => {
    if (value > SETPOINT) from ??= n
    else if (from !== undefined) {
      if (n - from >= delay) found.push({ at: from + delay, returnedAt: n })
      from = undefined
    }
  })
  return found
}

describe('samples that are lost on the way, held too long, and sent again after kills', () => {
  let postgres: TestDatabase
  let runs = 0

  beforeAll(async () => {
    postgres = await startTestDatabase()
    const org = { id: ORG, key: 'works', name: asJson(name('Works')), created_at: new Date(START) }
    await postgres.db.system.insertInto('organisations').values(org).execute()
  })
  afterAll(() => postgres.close())

  async function play(signals: readonly (readonly number[])[], acts: readonly Act[]) {
    const group = `works-${++runs}`
    const edge = { org: ORG, group, edge: 'line-1' }
    const system = postgres.db.system as unknown as Kysely<DetectionTables>
    const history = memoryHistory()
    let now = START
    let detection!: RunningDetection
    let kill!: () => void
    const start = async () => {
      const life = mortal(system as unknown as Kysely<unknown>)
      kill = life.kill
      detection = await createDetection({
        db: life.db,
        clock: () => now,
        log: silentLog,
        checkpointMs: 60_000,
        history,
      })
      detection.edge(edge).bind('tank-1', TANK)
    }
    /** The i-th sample is of second i / 3 and of tag i % 3, at the offset i + 1. */
    const count = (signals[0]?.length ?? 0) * TAGS.length
    let next = 0
    const acknowledged = () => Number(detection.edge(edge).mark(EPOCH, 1n))
    const send = () => {
      if (next >= count) return
      const i = next++
      const [n, k] = [Math.floor(i / TAGS.length), i % TAGS.length]
      const offset = BigInt(i + 1)
      const range = { epoch: EPOCH, first: offset, last: offset }
      const at = START + n * SECOND
      now = Math.max(now, at)
      const shard = detection.edge(edge)
      const value = signals[k]?.[n] ?? 0
      const tag = shard.tag('tank-1', TAGS[k] ?? '')
      shard.onSamples({ samples: [{ tag, sourceAt: at, value, quality: 192, offset }], range })
      history.keep(edge, range, [{ path: `${group}/line-1/tank-1/${TAGS[k]}`, at, value, quality: 192 }])
    }
    const does: Record<Act, () => unknown> = {
      send,
      lose: () => {
        if (next < count) next += 1
      },
      rewind: () => {
        next = acknowledged()
      },
      'hold-over': () => detection.edge(edge).waitNoLonger(),
      settle: () => detection.settled(),
      /** What raises alarms is committed by itself, ahead of the next checkpoint. */
      urgent: async () => {
        for (let i = 0; i < 100; i++) await nextTurn()
      },
      silence: () => detection.edge(edge).onStale(now),
      judge: () => detection.judgeLate(),
      kill: async () => {
        kill()
        await detection.close()
        await start()
        next = acknowledged()
      },
    }
    await start()
    // What lies before the first offset that anybody heard is not known to be missing.
    send()
    await detection.settled()
    for (const act of acts) {
      await does[act]()
    }
    while (acknowledged() < count) {
      next = acknowledged()
      while (next < count) send()
      detection.edge(edge).waitNoLonger()
      await detection.settled()
    }
    await detection.judgeLate()
    await detection.settled()
    expect(detection.fault()).toBeUndefined()
    await detection.close()
    const points = TANK.alarms?.map(({ alarm }) => pointId(`${group}/line-1/tank-1/${alarm}`)) ?? []
    const found = system.selectFrom('alarm_log').select('event').where('point_id', 'in', points).orderBy('seq')
    return (await found.execute()).map(({ event }) => event)
  }

  const LENGTH = 40
  const signal = fc
    .array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 6 })), { minLength: 4, maxLength: 12 })
    .map((runsOf) => {
      const values = [50, ...runsOf.flatMap(([isHigh, n]) => Array<number>(n).fill(isHigh ? 95 : 50))]
      return [...values, ...Array<number>(LENGTH).fill(50)].slice(0, LENGTH).concat(50)
    })
  const signals = fc.tuple(signal, signal, signal)
  const acts = fc
    .array(fc.tuple(fc.constantFrom(...ACTS), fc.integer({ min: 1, max: 8 })), { minLength: 10, maxLength: 60 })
    .map((courses) => courses.flatMap(([act, n]) => Array<Act>(act === 'send' || act === 'lose' ? n : 1).fill(act)))

  it('are judged from where the detector stands when a kill has set it back before a hole that it had passed', async () => {
    const high = (from: number, until: number) =>
      Array.from({ length: 20 }, (_, n) => (n >= from && n < until ? 95 : 50))
    const times = (act: Act, n: number) => Array<Act>(n).fill(act)
    const seconds = (act: Act, n: number) => times(act, n * TAGS.length)
    const log = await play(
      [high(3, 8), high(12, 14), high(0, 0)],
      [
        // The hole is passed, and known to the tables with where the tags stood; the mark is not.
        ...['settle' as const, ...times('lose', 2), ...seconds('lose', 9), ...seconds('send', 1), 'hold-over' as const],
        ...[...seconds('send', 2), 'urgent' as const, 'kill' as const],
        // A part of it comes in its turn, the rest is lost once more and comes late.
        ...[...times('send', 2), ...seconds('send', 4), ...seconds('lose', 5), ...seconds('send', 4)],
      ],
    )
    const told = log.filter(({ alarm }) => alarm === 'level-at-once')
    expect(told.map(({ transition, eventAt }) => [transition, (eventAt - START) / SECOND])).toEqual([
      ['activated', 3],
      // The live detector heard of it first at the end of the hole.
      ['returned', 10],
    ])
  })

  it('leave out no alarm of the whole signal', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(signals, acts, async (all, course) => {
        const log = await play(all, course)
        for (const [alarm, delay, signal] of TAGS.flatMap((tag, k) =>
          ALL.map(([kind, delay]) => [`${tag}-${kind}`, delay, all[k] ?? []] as const),
        )) {
          const own = log.filter((event) => event.alarm === alarm)
          const activated = own.filter(({ transition }) => transition === 'activated')
          const returned = own.filter(({ transition }) => transition === 'returned')
          const expected = expectedOf(signal, delay)
          const second = ({ eventAt }: { readonly eventAt: number }) => (eventAt - START) / SECOND
          const ends = returned.map(second).sort((a, b) => a - b)
          const told = activated.map(second).sort((a, b) => a - b)
          expect(ends.length).toBe(told.length)
          const spans = told.map((at, i) => ({ at, returnedAt: ends[i] ?? Number.NaN }))
          // The live detector, which hears a sample too few, may begin late or end late; nothing may be missing.
          const missed = expected.filter(
            (one) => !spans.some(({ at, returnedAt }) => at <= one.returnedAt && returnedAt >= one.at),
          )
          expect({ alarm, missed, spans }).toEqual({ alarm, missed: [], spans })
        }
      }),
      { numRuns: RUNS, endOnFailure: true },
    )
  })
})
