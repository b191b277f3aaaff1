import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import type { Kysely } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '#cloud/platform/database/database.ts'
import { asJson } from '#cloud/platform/database/database.ts'
import { newId } from '#cloud/platform/id.ts'
import { pointId, uuidV8 } from '#shared/alarms/index.ts'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { silentLog } from '#shared/log/log.ts'
import { memoryHistory } from '#tests/support/late-history.ts'
import { mortal } from '#tests/support/mortal.ts'
import { startTestDatabase, type TestDatabase } from '#tests/support/postgres.ts'
import { createDetection, type RunningDetection } from './index.ts'
import { loadEdges } from './load.ts'
import type { DetectionTables } from './tables.ts'

const START = Date.UTC(2026, 10, 23, 8)
const EPOCH = 7n
const ORG = newId()
const RUNS = 12

const name = (en: string) => ({ en, 'zh-CN': en })
const define = (alarm: string, parts: Partial<AlarmDefinition>): AlarmDefinition => ({
  ...{ alarm, name: name(alarm), tag: 'temperature', priority: 'medium' },
  condition: {
    kind: 'limit',
    levels: [
      { level: 'H', setpoint: 90, deadband: 5 },
      { level: 'HH', setpoint: 100, deadband: 5, priority: 'critical' },
    ],
  },
  ...parts,
})

/** One alarm of each kind, with every delay, latch and time-out. */
const ALARMS: readonly AlarmDefinition[] = [
  define('high', { reAlarmMinutes: 0.2 }),
  define('delayed', { onDelaySeconds: 3, offDelaySeconds: 4 }),
  define('latching', { latching: true, requiresConfirmation: true, acknowledgeTimeoutMinutes: 0.3 }),
  define('rising', { condition: { kind: 'rate-of-change', perMinute: 120, windowSeconds: 5, direction: 'rising' } }),
  define('slow-rise', {
    condition: { kind: 'rate-of-change', perMinute: 60, windowSeconds: 8, direction: 'both', deadband: 10 },
    ...{ onDelaySeconds: 2, offDelaySeconds: 2 },
  }),
  define('tripped', { tag: 'state', condition: { kind: 'discrete', abnormal: [3] }, onDelaySeconds: 1 }),
  define('instrument', { condition: { kind: 'bad-quality' }, onDelaySeconds: 2 }),
  define('no-data', { condition: { kind: 'no-data', afterSeconds: 10 } }),
]
const OVEN: DeviceProfile = {
  ...{ profile: 'oven', version: 1, name: name('Oven'), assetClass: 'oven', protocol: 'modbus' },
  machineState: { tag: 'state', states: { 1: 'running', 2: 'idle', 3: 'unplanned-stop' } },
  tags: [
    { tag: 'temperature', name: name('Temperature'), address: 'holding:0', type: 'float32' },
    { tag: 'state', name: name('State'), address: 'holding:2', type: 'uint16' },
  ],
  alarms: [...ALARMS],
}

const ACTIONS = [
  'acknowledge',
  'confirm',
  'reset',
  'shelve',
  'shelve-one-shot',
  'unshelve',
  'suppress',
  'unsuppress',
] as const

type Act =
  | { readonly kind: 'samples'; readonly values: readonly (readonly [tag: string, value: number | null])[] }
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'silence' }
  | { readonly kind: 'server-clock' }
  | { readonly kind: 'operator'; readonly action: (typeof ACTIONS)[number]; readonly alarm: number }
  | { readonly kind: 'commit' }
  /** Payloads that did not arrive come, in order. */
  | { readonly kind: 'resend' }

interface Step {
  readonly act: Act
  readonly afterMs: number
  /** Samples do not arrive, but are sent again later. */
  readonly isLost: boolean
  /** The process is killed after it. */
  readonly isKilled: boolean
}

const value = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constant('temperature'), fc.integer({ min: 70, max: 110 })) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('temperature'), fc.constant(null)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('state'), fc.integer({ min: 1, max: 4 })) },
)
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('samples' as const),
      values: fc.array(value, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'heartbeat' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'silence' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'server-clock' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('operator' as const),
      action: fc.constantFrom(...ACTIONS),
      alarm: fc.nat(ALARMS.length - 1),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'commit' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'resend' as const }) },
)
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    act,
    afterMs: fc.integer({ min: 10, max: 6000 }),
    isLost: fc.nat(3).map((n) => n === 0),
    isKilled: fc.nat(4).map((n) => n === 0),
  }),
  { minLength: 10, maxLength: 45 },
)

const reads = (celsius: number, isLost = false): Step => {
  const values = [['temperature', celsius] as const]
  return { act: { kind: 'samples', values }, afterMs: 4000, isLost, isKilled: isLost }
}
const does = (kind: 'commit' | 'resend'): Step => ({ act: { kind }, afterMs: 4000, isLost: false, isKilled: true })

/** An excursion that is heard of too late, whatever chance brings. */
const WITH_LATE_ALARM = [reads(80), does('commit'), reads(108, true), reads(70), does('resend'), does('commit')]

/** A step with its own time and offsets, so that it is the same when it comes again. */
interface Placed extends Step {
  /** The lost ones that a resend brings. */
  readonly brings: readonly Placed[]
  readonly index: number
  readonly at: number
  readonly first: bigint
}

function place(all: readonly Step[]): Placed[] {
  let at = START
  let next = 1n
  let lost: Placed[] = []
  return all.map((step, index) => {
    at += step.afterMs
    const first = next
    if (step.act.kind === 'samples') next += BigInt(step.act.values.length)
    const placed = { ...step, index, at, first, brings: step.act.kind === 'resend' ? lost : [] }
    if (step.act.kind === 'resend') lost = []
    if (step.act.kind === 'samples' && step.isLost) lost.push(placed)
    return placed
  })
}

/** Plays steps for one edge; after a kill a new process takes over, and what was not settled comes again, in order. */
async function play(database: Database, group: string, all: readonly Placed[], mayKill: boolean) {
  const system = database.system as unknown as Kysely<DetectionTables>
  const edge = { org: ORG, group, edge: 'line-1' }
  let now = START
  let detection: RunningDetection
  let kill: () => void
  const history = memoryHistory()
  const start = async () => {
    const life = mortal(system as unknown as Kysely<unknown>)
    kill = life.kill
    detection = await createDetection({
      db: life.db,
      clock: () => now,
      log: silentLog,
      checkpointMs: 5,
      history,
    })
    detection.edge(edge).bind('oven-1', OVEN)
  }
  const arrive = ({ act: one, at, first }: Placed) => {
    if (one.kind !== 'samples') return
    const shard = detection.edge(edge)
    const samples = one.values.map(([tag, v], i) => ({
      ...{ tag: shard.tag('oven-1', tag), sourceAt: at + i, value: v, offset: first + BigInt(i) },
      quality: v === null ? (0 as const) : (192 as const),
    }))
    const range = { epoch: EPOCH, first, last: first + BigInt(samples.length - 1) }
    shard.onSamples({ samples, range })
    shard.onEventTime(at + samples.length)
    // What came ahead of missing samples has waited in vain.
    if (!shard.isEvaluated(range)) shard.waitNoLonger()
    shard.onEventTime(at + samples.length + 1)
    const kept = samples.map(({ sourceAt, value: v, quality }, i) => {
      const path = `${group}/line-1/oven-1/${one.values[i]?.[0]}`
      return { path, at: sourceAt, value: v, quality }
    })
    history.keep(edge, range, kept)
  }
  const feed = async (step: Placed) => {
    const { act: one, at, index } = step
    now = at
    detection.checkServerClock()
    const shard = detection.edge(edge)
    if (one.kind === 'samples') {
      if (!step.isLost) arrive(step)
    } else if (one.kind === 'resend') for (const late of step.brings) arrive(late)
    else if (one.kind === 'heartbeat') shard.onEventTime(at)
    else if (one.kind === 'silence') shard.onStale(at)
    else if (one.kind === 'operator') await operate({ system, group, index, at }, one)
    if (one.kind === 'operator') await detection.applyActions()
  }

  await start()
  await detection!.settled()
  let since = 0
  for (const step of all) {
    // An operator acts on what is committed.
    if (step.act.kind === 'operator') await detection!.settled()
    await feed(step)
    if (step.index % 3 === 0) await nextTurn()
    // Samples alone come again from the edge's journal; the rest is taken up from its commit.
    if (step.act.kind !== 'samples' && step.act.kind !== 'resend') {
      await detection!.settled()
      if (step.act.kind === 'commit') {
        await detection!.judgeLate()
        await detection!.settled()
      }
      since = step.index + 1
    }
    if (!mayKill || !step.isKilled) continue
    kill!()
    await detection!.close()
    now = all[since - 1]?.at ?? START
    await start()
    for (const again of all.slice(since, step.index + 1)) await feed(again)
  }
  await detection!.settled()
  await detection!.judgeLate()
  await detection!.settled()
  expect(detection!.fault()).toBeUndefined()
  await detection!.close()
  return found(system, group)
}

async function operate(
  at: { readonly system: Kysely<DetectionTables>; readonly group: string; readonly index: number; readonly at: number },
  { action, alarm }: Extract<Act, { kind: 'operator' }>,
): Promise<void> {
  const isShelving = action === 'shelve' || action === 'shelve-one-shot'
  await at.system
    .insertInto('alarm_actions')
    .values({
      ...{ id: uuidV8(at.group, at.index), kind: action, org_id: ORG, by: 'wang', at: new Date(at.at) },
      point_id: pointId(`${at.group}/line-1/oven-1/${ALARMS[alarm]?.alarm}`),
      ...{ comment: isShelving ? 'known' : null, until: isShelving ? new Date(at.at + 20_000) : null },
      ...{ occurrence_id: null, reference: action.endsWith('suppress') ? 'rule-1' : null },
      ...{ applied_at: null, result: null },
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Everything that detection has written of a group, and what a start would go on from. */
async function found(system: Kysely<DetectionTables>, group: string) {
  const edge = (await loadEdges(system, 0)).find((one) => one.edge.group === group)
  const points = edge?.points.map(({ rule, state }) => [rule.definition.alarm, state])
  const ids = edge?.points.map(({ rule }) => rule.pointId) ?? []
  const log = await system.selectFrom('alarm_log').select('event').where('point_id', 'in', ids).orderBy('seq').execute()
  const occurrences = system.selectFrom('occurrences').selectAll().where('point_id', 'in', ids).orderBy('id').execute()
  const columns = ['point_id', 'kind', 'applied_at', 'result'] as const
  const actions = system.selectFrom('alarm_actions').select(columns).where('point_id', 'in', ids).orderBy('position')
  const machines = system.selectFrom('machine_states').selectAll().where('group_key', '=', group).orderBy('since')
  return {
    points,
    machineMemory: edge?.memory?.machines,
    marks: [...(edge?.marks ?? [])],
    gaps: edge?.gaps,
    log: log.map(({ event }) => event),
    occurrences: await occurrences,
    actions: await actions.execute(),
    machines: await machines.execute(),
  }
}

describe('a restart at any moment (T19)', () => {
  let postgres: TestDatabase
  let other: Database

  beforeAll(async () => {
    postgres = await startTestDatabase()
    other = (await postgres.fresh()).db
    for (const db of [postgres.db, other]) {
      const org = { id: ORG, key: 'works', name: asJson(name('Works')), created_at: new Date(START) }
      await db.system.insertInto('organisations').values(org).execute()
    }
  })
  afterAll(async () => {
    await other.close()
    await postgres.close()
  })

  it('leaves every state, log line, occurrence and mark as they would have been without it, bit for bit', {
    timeout: 120_000,
  }, async () => {
    let number = 0
    let kills = 0
    let lines = 0
    let late = 0
    await fc.assert(
      fc.asyncProperty(steps, async (random) => {
        const placed = place(random)
        number += 1
        const without = await play(postgres.db, `works-${number}`, placed, false)
        const killed = await play(other, `works-${number}`, placed, true)
        kills += placed.filter(({ isKilled }) => isKilled).length
        lines += without.log.length
        late += without.occurrences.filter(({ is_late }) => is_late).length
        expect(killed).toEqual(without)
      }),
      { numRuns: RUNS, endOnFailure: true, examples: [[WITH_LATE_ALARM]] },
    )
    expect(kills).toBeGreaterThan(RUNS)
    expect(lines).toBeGreaterThan(RUNS * 5)
    expect(late).toBeGreaterThan(0)
  })
})
