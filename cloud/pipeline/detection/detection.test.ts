import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Kysely, sql as raw } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { newId } from '#cloud/platform/id.ts'
import type { AlarmActionKind } from '#shared/contracts/alarm-command.ts'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { silentLog } from '#shared/log/log.ts'
import { type MemoryHistory, memoryHistory } from '#tests/support/late-history.ts'
import { startTestDatabase, type TestDatabase } from '#tests/support/postgres.ts'
import type { DetectionEdge } from './contract.ts'
import { createDetection, type RunningDetection } from './index.ts'
import type { DetectionTables } from './tables.ts'

const name = (en: string) => ({ en, 'zh-CN': en })
const EPOCH = 0xfedc_ba98_7654_3210n
const START = Date.UTC(2026, 10, 23, 8)

const HIGH: AlarmDefinition = {
  alarm: 'temperature-high',
  name: name('Temperature high'),
  tag: 'temperature',
  priority: 'high',
  condition: {
    kind: 'limit',
    levels: [
      { level: 'H', setpoint: 90, deadband: 2 },
      { level: 'HH', setpoint: 100, priority: 'critical' },
    ],
  },
}

const profileOf = (alarms: AlarmDefinition[], version = 1): DeviceProfile => ({
  profile: 'oven',
  version,
  name: name('Oven'),
  assetClass: 'oven',
  protocol: 'modbus',
  machineState: { tag: 'state', states: { 1: 'running', 2: 'idle', 3: 'unplanned-stop' } },
  tags: [
    { tag: 'temperature', name: name('Temperature'), address: 'holding:0', type: 'float32' },
    { tag: 'state', name: name('State'), address: 'holding:2', type: 'uint16' },
  ],
  alarms,
})

const OVEN = profileOf([
  HIGH,
  { ...HIGH, alarm: 'temperature-delayed', onDelaySeconds: 3, priority: 'low' },
  { ...HIGH, alarm: 'no-data', condition: { kind: 'no-data', afterSeconds: 30 }, priority: 'medium' },
])

describe('detection', () => {
  let postgres: TestDatabase
  let edge: DetectionEdge
  let detection: RunningDetection
  let now = START
  let offset = 1n
  const opened: RunningDetection[] = []
  let groups = 0
  let history: MemoryHistory

  beforeAll(async () => {
    postgres = await startTestDatabase()
  })
  afterAll(() => postgres.close())

  const sql = () => postgres.db.system as unknown as Kysely<DetectionTables>

  async function start(db: Kysely<unknown> = postgres.db.system as Kysely<unknown>): Promise<RunningDetection> {
    const started = await createDetection({
      db,
      listen: (channel, hear) => postgres.db.listen(channel, hear),
      clock: () => now,
      log: silentLog,
      checkpointMs: 20,
      history,
    })
    opened.push(started)
    return started
  }

  beforeEach(async () => {
    now = START
    offset = 1n
    history = memoryHistory()
    edge = { org: await postgres.newOrg(), group: `works-${++groups}`, edge: 'line-1' }
    detection = await start()
    detection.edge(edge).onBirth('oven-1', OVEN)
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()))
  })

  /** A database whose statements fail by their number, counted from 0 once detection has read its checkpoints. */
  function failing(fails: (attempt: number) => boolean): Kysely<unknown> {
    let attempts = 0
    return new Proxy(postgres.db.system as unknown as Kysely<unknown>, {
      get(target, key) {
        if (key === 'getExecutor' && fails(attempts++)) throw new Error('the server closed the connection')
        const value: unknown = Reflect.get(target, key)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  interface Sent {
    readonly range: { epoch: bigint; first: bigint; last: bigint }
    readonly values: readonly (readonly [tag: string, second: number, value: number | null])[]
  }

  /** One payload: values of oven-1 with the seconds since the start at which they were true. */
  function send(values: Sent['values'], to = detection): Sent {
    const sent = { range: { epoch: EPOCH, first: offset, last: offset + BigInt(values.length) - 1n }, values }
    offset += BigInt(values.length)
    resend(sent, to)
    return sent
  }

  function resend({ range, values }: Sent, to = detection): void {
    const shard = to.edge(edge)
    const samples = values.map(([tag, second, value], i) => ({
      tag: shard.tag('oven-1', tag),
      sourceAt: START + second * 1000,
      value,
      quality: value === null ? (0 as const) : (192 as const),
      offset: range.first + BigInt(i),
    }))
    shard.onSamples({ samples, range })
    const path = (i: number) => `${edge.group}/line-1/oven-1/${values[i]?.[0]}`
    history.keep(
      edge,
      range,
      samples.map(({ sourceAt: at, value, quality }, i) => ({ path: path(i), at, value, quality })),
    )
    shard.onEventTime(START + (values.at(-1)?.[1] ?? 0) * 1000)
  }

  async function log(from = detection) {
    const lines = await sql()
      .selectFrom('alarm_log')
      .selectAll()
      .where('org_id', '=', edge.org)
      .orderBy('seq')
      .execute()
    expect(lines.map((line) => Number(line.seq))).toEqual(lines.map((_, i) => i + 1))
    expect(from.fault()).toBeUndefined()
    return lines.map(({ event }) => event)
  }

  const told = async (type: string) =>
    (
      await sql()
        .selectFrom('outbox')
        .selectAll()
        .where('org_id', '=', edge.org)
        .where('type', '=', type)
        .orderBy('position')
        .execute()
    ).map(({ data }) => data as Record<string, unknown>)

  async function pointOf(alarm: string, from = detection) {
    const { items } = await from.alarms(edge.org)
    return items.find((item) => item.alarm === alarm)!
  }

  async function act(kind: AlarmActionKind, alarm: string, more: object = {}) {
    const point = await pointOf(alarm)
    const id = newId()
    await sql()
      .insertInto('alarm_actions')
      .values({
        ...{ id, kind, org_id: edge.org, point_id: point.id, by: 'wang', at: new Date(now) },
        ...{ comment: null, until: null, occurrence_id: null, reference: null, applied_at: null, result: null },
        ...more,
      })
      .execute()
    await detection.applyActions()
    await detection.settled()
    const row = await sql().selectFrom('alarm_actions').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    return row.result
  }

  it('binds the profile of a born device to alarm points', async () => {
    await detection.settled()
    const { items } = await detection.alarms(edge.org)
    expect(items.map(({ alarm, state, device }) => [alarm, state, device]).sort()).toEqual([
      ['no-data', 'A', 'oven-1'],
      ['temperature-delayed', 'A', 'oven-1'],
      ['temperature-high', 'A', 'oven-1'],
    ])
    expect(items.find((item) => item.alarm === 'temperature-high')?.definition).toEqual(HIGH)
  })

  it('commits log, occurrence, point and outbox event of an alarm together', async () => {
    send([
      ['temperature', 0, 80],
      ['temperature', 1, 91],
      ['temperature', 2, 95],
    ])
    await detection.settled()
    expect(await log()).toMatchObject([
      {
        transition: 'activated',
        device: 'oven-1',
        tag: 'temperature',
        level: 'H',
        value: 91,
        setpoint: 90,
        state: 'B',
      },
    ])
    expect(await told('alarm.changed')).toEqual(await log())
    const point = await pointOf('temperature-high')
    expect(point).toMatchObject({
      state: 'B',
      isAnnunciated: true,
      level: 'H',
      activeSince: START + 1000,
      setpoint: 90,
    })
    expect(await detection.occurrence(edge.org, point.occurrenceId!)).toMatchObject({
      ...{ openedAt: START + 1000, closedAt: null, peakValue: 95, value: 91, isSuppressed: false, isLate: false },
    })
    expect(await detection.alarmCounts(edge.org)).toMatchObject({ unacknowledged: 1, byPriority: { high: 1 } })
  })

  it('lets a delay end by the edge’s event clock alone', async () => {
    send([['temperature', 0, 91]])
    detection.edge(edge).onEventTime(START + 2999)
    await detection.settled()
    expect(await log()).toHaveLength(1)
    detection.edge(edge).onEventTime(START + 3050)
    await detection.settled()
    expect((await log()).at(-1)).toMatchObject({ alarm: 'temperature-delayed', eventAt: START + 3000 })
  })

  it('lets no delay of a backlog end by the time of its sending', async () => {
    const shard = detection.edge(edge)
    const sendsLate = (values: Sent['values']) => {
      const first = offset
      offset += BigInt(values.length)
      const samples = values.map(([tag, second, value], i) => ({
        ...{ tag: shard.tag('oven-1', tag), sourceAt: START + second * 1000, value, quality: 192 as const },
        offset: first + BigInt(i),
      }))
      shard.onSamples({ samples, range: { epoch: EPOCH, first, last: offset - 1n } })
      shard.onBacklog(START + 60_000)
    }
    const ends = async () => {
      await detection.settled()
      const lines = (await log()).filter(({ alarm }) => alarm === 'temperature-delayed')
      return lines.map(({ transition, eventAt }) => [transition, eventAt - START])
    }
    sendsLate([['temperature', 0, 91]])
    shard.onEventTime(START + 61_000)
    expect(await ends()).toEqual([])
    sendsLate([['temperature', 1, 70]])
    sendsLate([['temperature', 10, 91]])
    expect(await ends()).toEqual([])
    shard.onEventTime(START + 62_001)
    expect(await ends()).toEqual([['activated', 13_000]])
  })

  it('adds nothing when samples are sent again', async () => {
    const sent = [send([['temperature', 0, 91]]), send([['temperature', 4, 101]]), send([['temperature', 9, 70]])]
    await detection.settled()
    const before = await log()
    for (const one of sent) resend(one)
    await detection.settled()
    expect(await log()).toEqual(before)
    expect(detection.edge(edge).lateSamples).toBe(0)
  })

  it('goes on after a restart in the middle as if there had been none', async () => {
    send([
      ['temperature', 0, 80],
      ['temperature', 1, 91],
    ])
    await detection.settled()
    const lost = send([['temperature', 2, 101]])
    const restarted = await start()
    restarted.edge(edge).onBirth('oven-1', OVEN)
    resend(lost, restarted)
    await restarted.settled()
    send([['temperature', 5, 70]], restarted)
    await restarted.settled()
    const lines = (await log()).map(({ alarm, transition, level, eventAt }) => [
      alarm,
      transition,
      level,
      eventAt - START,
    ])
    expect(lines).toEqual([
      ['temperature-high', 'activated', 'H', 1000],
      ['temperature-high', 'level-changed', 'HH', 2000],
      ['temperature-high', 'returned', 'HH', 5000],
      ['temperature-delayed', 'activated', 'HH', 4000],
      ['temperature-delayed', 'returned', 'HH', 5000],
    ])
    expect(restarted.edge(edge).mark(EPOCH, 1n)).toBe(4n)
  })

  it('evaluates after a restart before the device is born again', async () => {
    await detection.settled()
    const restarted = await start()
    restarted.edge(edge).bind('oven-1', OVEN)
    send([['temperature', 1, 91]], restarted)
    await restarted.settled()
    expect(await log()).toMatchObject([{ transition: 'activated', eventAt: START + 1000 }])
  })

  it('ends the silence of before a restart with the first message after it', async () => {
    detection.edge(edge).onStale(now)
    await detection.settled()
    const restarted = await start()
    expect(await pointOf('temperature-high', restarted)).toMatchObject({ quality: 'stale' })
    restarted.edge(edge).onEventTime(now)
    await restarted.settled()
    expect(await pointOf('temperature-high', restarted)).toMatchObject({ quality: 'good' })
  })

  it('acknowledges no offset whose evaluation is not committed', async () => {
    const shard = detection.edge(edge)
    send([
      ['temperature', 0, 80],
      ['temperature', 1, 81],
    ])
    expect(shard.mark(EPOCH, 1n)).toBe(0n)
    await detection.settled()
    expect(shard.mark(EPOCH, 1n)).toBe(2n)
    offset = 5n
    send([['temperature', 2, 80]])
    await detection.settled()
    expect(shard.mark(EPOCH, 3n)).toBe(2n)
    shard.onGap({ epoch: EPOCH, first: 3n, last: 4n })
    await detection.settled()
    expect(shard.mark(EPOCH, 1n)).toBe(5n)
    expect((await start()).edge(edge).mark(EPOCH, 1n)).toBe(5n)
  })

  it('loses no alarm to a database that fails, and logs each once', async () => {
    const stubborn = await start(failing((attempt) => attempt < 3))
    stubborn.edge(edge).onBirth('oven-1', OVEN)
    send([['temperature', 0, 91]], stubborn)
    send([['temperature', 1, 70]], stubborn)
    expect(stubborn.edge(edge).mark(EPOCH, 1n)).toBe(0n)
    await stubborn.settled()
    expect((await log(stubborn)).map(({ transition }) => transition)).toEqual(['activated', 'returned'])
    expect(stubborn.edge(edge).mark(EPOCH, 1n)).toBe(2n)
  })

  it('logs every alarm of a storm exactly once while the database keeps closing its connections', async () => {
    const shard = detection.edge(edge)
    const devices = Array.from({ length: 50 }, (_, i) => `oven-${i + 1}`)
    for (const device of devices) shard.onBirth(device, OVEN)
    await detection.settled()
    const cut = () =>
      raw`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'andon_system' and pid <> pg_backend_pid()`
        .execute(postgres.db.system)
        .catch(() => undefined)
    const rounds = 12
    for (let round = 0; round < rounds; round++) {
      const samples = devices.map((device, i) => ({
        ...{ tag: shard.tag(device, 'temperature'), sourceAt: START + round * 1000, quality: 192 as const },
        ...{ value: round % 2 === 0 ? 95 : 50, offset: offset + BigInt(i) },
      }))
      shard.onSamples({ samples, range: { epoch: EPOCH, first: offset, last: offset + 49n } })
      offset += 50n
      if (round % 3 === 0) await cut()
      await nextTurn()
    }
    await detection.settled()
    const lines = (await log()).filter(({ alarm }) => alarm === 'temperature-high')
    expect(lines.length).toBe(50 * rounds)
    expect(new Set(lines.map(({ id }) => id)).size).toBe(50 * rounds)
    expect((await told('alarm.changed')).length).toBe((await log()).length)
    expect(shard.mark(EPOCH, 1n)).toBe(BigInt(50 * rounds))
    const restarted = await start()
    expect((await restarted.alarms(edge.org, { limit: 500 })).items.filter(({ state }) => state === 'D')).toHaveLength(
      50,
    )
  })

  it('adds nothing and misses nothing after a crash between two transactions of a storm', async () => {
    const dying = await start(failing((attempt) => attempt >= 2))
    const devices = Array.from({ length: 50 }, (_, i) => `oven-${i + 1}`)
    const storm = (to: RunningDetection) => {
      const shard = to.edge(edge)
      for (const device of devices) shard.onBirth(device, OVEN)
      for (let round = 0; round < 24; round++) {
        const first = BigInt(round * 50 + 1)
        const samples = devices.map((device, i) => ({
          ...{ tag: shard.tag(device, 'temperature'), sourceAt: START + round * 1000, quality: 192 as const },
          ...{ value: round % 2 === 0 ? 95 : 50, offset: first + BigInt(i) },
        }))
        shard.onSamples({ samples, range: { epoch: EPOCH, first, last: first + 49n } })
      }
    }
    storm(dying)
    await dying.close()
    expect((await log(detection)).length).toBe(1000)
    expect(dying.edge(edge).mark(EPOCH, 1n)).toBe(0n)
    const restarted = await start()
    storm(restarted)
    await restarted.settled()
    expect((await log()).length).toBe(1200)
    expect((await told('alarm.changed')).length).toBe(1200)
    const found = await restarted.occurrences(edge.org, { limit: 500 })
    expect(found.map(({ count }) => count)).toEqual(devices.map(() => 12))
    expect(restarted.edge(edge).mark(EPOCH, 1n)).toBe(1200n)
  })

  it('applies actions in order and tells what became of each', async () => {
    send([['temperature', 0, 91]])
    await detection.settled()
    now += 5000
    expect(await act('acknowledge', 'temperature-high')).toEqual({ status: 'applied', state: 'C' })
    expect(await act('acknowledge', 'temperature-high')).toEqual({
      ...{ status: 'refused', error: 'alarm.not-unacknowledged', state: 'C' },
    })
    const shelving = { until: new Date(now + 60_000), comment: 'sensor is being changed' }
    expect(await act('shelve', 'temperature-high', shelving)).toEqual({ status: 'applied', state: 'G' })
    expect((await log()).slice(1)).toMatchObject([
      { transition: 'acknowledged', by: 'wang', eventAt: START + 5000, state: 'C' },
      { transition: 'shelved', until: now + 60_000, isAnnunciated: false },
    ])
    expect(await pointOf('temperature-high')).toMatchObject({ shelvedUntil: now + 60_000, acknowledgedBy: 'wang' })
  })

  it('refuses an action on a point of another organisation', async () => {
    await detection.settled()
    const point = await pointOf('temperature-high')
    const other = await postgres.newOrg()
    expect(await act('acknowledge', 'temperature-high', { org_id: other })).toMatchObject({
      ...{ status: 'refused', error: 'alarm.unknown-point', state: null },
    })
    expect(await detection.alarm(other, point.id)).toBeUndefined()
  })

  it('hears an action by NOTIFY', async () => {
    send([['temperature', 0, 91]])
    await detection.settled()
    const point = await pointOf('temperature-high')
    const applied = new Promise<void>((resolve) => {
      void postgres.db.listen('andon_alarm_actions_applied', (payload) => payload && resolve())
    })
    await sql()
      .insertInto('alarm_actions')
      .values({
        ...{ id: newId(), kind: 'acknowledge', org_id: edge.org, point_id: point.id, by: 'wang', at: new Date(now) },
        ...{ comment: null, until: null, occurrence_id: null, reference: null, applied_at: null, result: null },
      })
      .execute()
    await applied
    expect(await pointOf('temperature-high')).toMatchObject({ state: 'C', acknowledgedBy: 'wang' })
  })

  it('ends a shelving on the server’s clock, also after a restart', async () => {
    send([['temperature', 0, 91]])
    await detection.settled()
    await act('shelve', 'temperature-high', { until: new Date(now + 60_000), comment: 'known' })
    const restarted = await start()
    now += 61_000
    restarted.checkServerClock()
    await restarted.settled()
    expect((await log()).at(-1)).toMatchObject({
      ...{ transition: 'unshelved', reason: 'shelving-expired', eventAt: START + 60_000, isRaised: true, state: 'B' },
    })
  })

  it('freezes what is silent, raises no data, and goes on when it speaks again', async () => {
    send([['temperature', 0, 91]])
    detection.edge(edge).onStale(now + 3000)
    now += 33_000
    detection.checkServerClock()
    await detection.settled()
    expect(await pointOf('temperature-high')).toMatchObject({ state: 'B', quality: 'stale' })
    expect(await pointOf('no-data')).toMatchObject({ state: 'B', activeSince: START + 33_000 })
    send([['temperature', 40, 70]])
    await detection.settled()
    expect(await pointOf('temperature-high')).toMatchObject({ state: 'D', quality: 'good' })
    expect(await pointOf('no-data')).toMatchObject({ state: 'D' })
  })

  it('keeps a dead device stale until its own birth', async () => {
    detection.edge(edge).onStale(now, 'oven-1')
    detection.edge(edge).onEventTime(now + 1000)
    await detection.settled()
    expect(await pointOf('temperature-high')).toMatchObject({ quality: 'stale' })
    detection.edge(edge).onBirth('oven-1', OVEN)
    await detection.settled()
    expect(await pointOf('temperature-high')).toMatchObject({ quality: 'good' })
  })

  it('judges a birth’s value only where nothing was seen before', async () => {
    const value = { tag: 'temperature', sourceAt: START - 5000, value: 95, quality: 192 as const }
    detection.edge(edge).onBirth('oven-1', OVEN, [value])
    detection.edge(edge).onBirth('oven-1', OVEN, [{ ...value, sourceAt: START, value: 101 }])
    await detection.settled()
    expect(await log()).toMatchObject([{ transition: 'activated', level: 'H', eventAt: START - 5000 }])
  })

  it('judges no value from an impossible time, which would make all that follow late', async () => {
    send([
      ['temperature', 9e11, 95],
      ['temperature', -9e12, 95],
      ['temperature', 1, 91],
    ])
    await detection.settled()
    expect(await log()).toMatchObject([{ transition: 'activated', eventAt: START + 1000 }])
    expect(detection.edge(edge).implausibleSamples).toBe(2)
  })

  it('renews a definition and keeps the open occurrence', async () => {
    send([['temperature', 0, 91]])
    await detection.settled()
    const before = await pointOf('temperature-high')
    const next = profileOf([{ ...HIGH, condition: { kind: 'limit', levels: [{ level: 'H', setpoint: 95 }] } }], 2)
    detection.edge(edge).onBirth('oven-1', next)
    send([['temperature', 1, 91]])
    await detection.settled()
    expect(await pointOf('temperature-high')).toMatchObject({
      definitionVersion: 2,
      state: 'D',
      occurrenceId: before.occurrenceId,
    })
    expect((await detection.alarms(edge.org)).items).toHaveLength(1)
  })

  /** What is missing stays away for longer than what came ahead of it waits. */
  function waitInVain(second: number): void {
    detection.edge(edge).waitNoLonger()
    detection.edge(edge).onEventTime(START + second * 1000 + 1)
  }

  it('judges what came ahead of missing samples after them, as if nothing had been missing', async () => {
    send([['temperature', 0, 80]])
    const missing = { epoch: EPOCH, first: offset, last: offset + 2n }
    offset += 3n
    send([['temperature', 13, 91]])
    send([['temperature', 20, 80]])
    await detection.settled()
    expect(await log()).toEqual([])
    expect(detection.edge(edge).mark(EPOCH, 1n)).toBe(1n)
    const values = [10, 11, 12].map((second, i) => ['temperature', second, [95, 101, 70][i]!] as const)
    resend({ range: missing, values })
    await detection.settled()
    const lines = (await log()).filter(({ alarm }) => alarm === 'temperature-high')
    expect(lines.map(({ transition, eventAt, isLate }) => [transition, (eventAt - START) / 1000, isLate])).toEqual([
      ['activated', 10, false],
      ['level-changed', 11, false],
      ['returned', 12, false],
      ['activated', 13, false],
      ['returned', 20, false],
    ])
    expect(detection.edge(edge).mark(EPOCH, 1n)).toBe(6n)
    expect(detection.edge(edge).lateSamples).toBe(0)
  })

  it('finds an alarm that began and ended while samples were missing, once they arrive', async () => {
    send([['temperature', 0, 80]])
    const late = {
      first: offset,
      values: [10, 11, 12, 13].map((second, i) => ['temperature', second, [95, 99, 70, 91][i]!] as const),
    }
    offset += 4n
    send([['temperature', 20, 80]])
    waitInVain(20)
    await detection.settled()
    expect(await log()).toEqual([])
    resend({ range: { epoch: EPOCH, first: late.first, last: late.first + 3n }, values: late.values })
    await detection.judgeLate()
    await detection.settled()
    const lines = (await log()).filter(({ alarm }) => alarm === 'temperature-high')
    expect(lines.map(({ transition, eventAt }) => [transition, (eventAt - START) / 1000])).toEqual([
      ['activated', 10],
      ['returned', 12],
      ['closed', 12],
      ['activated', 13],
      ['returned', 20],
      ['closed', 20],
    ])
    expect(lines.every((line) => line.isLate && !line.isAnnunciated && !line.isRaised)).toBe(true)
    const found = await detection.occurrences(edge.org, { devices: [`${edge.group}/line-1/oven-1`] })
    expect(found.filter(({ alarm }) => alarm === 'temperature-high')).toMatchObject([
      { isLate: true, openedAt: START + 13_000, closedAt: START + 20_000 },
      { isLate: true, openedAt: START + 10_000, closedAt: START + 12_000, peakValue: 99 },
    ])
    expect(await pointOf('temperature-high')).toMatchObject({ state: 'A', occurrenceId: null })
    expect(detection.edge(edge).mark(EPOCH, 1n)).toBe(6n)
  })

  it('leaves an alarm that is still active to the live detector', async () => {
    send([['temperature', 0, 80]])
    const missing = offset
    offset += 2n
    send([['temperature', 20, 95]])
    waitInVain(20)
    resend({
      range: { epoch: EPOCH, first: missing, last: missing + 1n },
      values: [
        ['temperature', 10, 91],
        ['temperature', 11, 92],
      ],
    })
    await detection.judgeLate()
    await detection.settled()
    const lines = (await log()).filter(({ alarm }) => alarm === 'temperature-high')
    expect(lines).toMatchObject([{ transition: 'activated', eventAt: START + 20_000, isLate: false }])
  })

  it('takes up an alarm that samples which came late show to be active still', async () => {
    send([['temperature', 0, 80]])
    const missing = { epoch: EPOCH, first: offset, last: offset }
    offset += 1n
    send([['temperature', 20, 89]])
    waitInVain(20)
    resend({ range: missing, values: [['temperature', 10, 91]] })
    await detection.judgeLate()
    await detection.settled()
    const lines = (await log()).filter(({ alarm }) => alarm === 'temperature-high')
    expect(lines).toMatchObject([{ transition: 'activated', eventAt: START + 10_000, isLate: true, isRaised: true }])
    const point = await pointOf('temperature-high')
    expect(point).toMatchObject({ state: 'B', activeSince: START + 10_000 })
    expect(await detection.occurrence(edge.org, point.occurrenceId!)).toMatchObject({ isLate: true, closedAt: null })
    send([['temperature', 30, 80]])
    await detection.settled()
    expect(await pointOf('temperature-high')).toMatchObject({ state: 'D', occurrenceId: point.occurrenceId })
  })

  it('ends an alarm that samples which came late show to have returned', async () => {
    send([['temperature', 0, 91]])
    const missing = { epoch: EPOCH, first: offset, last: offset }
    offset += 1n
    send([['temperature', 20, 89]])
    waitInVain(20)
    resend({ range: missing, values: [['temperature', 10, 80]] })
    await detection.judgeLate()
    await detection.settled()
    expect((await log()).filter(({ alarm }) => alarm === 'temperature-high')).toMatchObject([
      { transition: 'activated', eventAt: START, isLate: false },
      { transition: 'returned', eventAt: START + 10_000, isLate: true },
    ])
    expect(await pointOf('temperature-high')).toMatchObject({ state: 'D' })
  })

  it('judges a gap that does not close ten minutes after its first late sample, and goes on from there', async () => {
    send([['temperature', 0, 80]])
    const first = offset
    offset += 3n
    send([['temperature', 40, 80]])
    waitInVain(40)
    const arrive = (i: bigint, second: number, value: number) =>
      resend({ range: { epoch: EPOCH, first: first + i, last: first + i }, values: [['temperature', second, value]] })
    arrive(0n, 10, 95)
    now += 599_000
    await detection.judgeLate()
    now += 1000
    await detection.judgeLate()
    await detection.settled()
    expect(await log()).toEqual([])
    const restarted = await start()
    detection = restarted
    restarted.edge(edge).bind('oven-1', OVEN)
    arrive(1n, 20, 70)
    now += 600_000
    await restarted.judgeLate()
    await restarted.settled()
    const lines = (await log()).filter(({ alarm }) => alarm === 'temperature-high')
    expect(lines.map(({ transition, eventAt }) => [transition, (eventAt - START) / 1000])).toEqual([
      ['activated', 10],
      ['returned', 20],
      ['closed', 20],
    ])
  })

  it('keeps machine states as intervals without overlap and tells each change', async () => {
    const path = `${edge.group}/line-1/oven-1`
    send([
      ['state', 0, 1],
      ['state', 10, 1],
      ['state', 20, 3],
      ['state', 30, 7],
    ])
    await detection.settled()
    now = START + 40_000
    detection.edge(edge).onStale(now)
    await detection.settled()
    now = START + 50_000
    detection.edge(edge).onEventTime(now)
    await detection.settled()
    const history = await detection.machineStateHistory(edge.org, path, START, START + 3_600_000)
    expect(
      history.map(({ state, since, until }) => [state, (since - START) / 1000, until && (until - START) / 1000]),
    ).toEqual([
      ['running', 0, 20],
      ['unplanned-stop', 20, 40],
      ['no-data', 40, 50],
      ['unplanned-stop', 50, null],
    ])
    expect(await told('machine-state.changed')).toMatchObject([
      { device: 'oven-1', state: 'running', previous: null },
      { state: 'unplanned-stop', previous: 'running', at: START + 20_000 },
      { state: 'no-data' },
      { state: 'unplanned-stop', previous: 'no-data' },
    ])
    expect(await detection.machineStates(edge.org, [path])).toMatchObject([{ state: 'unplanned-stop' }])
    const restarted = await start()
    restarted.edge(edge).onBirth('oven-1', OVEN)
    send(
      [
        ['state', 60, 3],
        ['state', 61, 1],
      ],
      restarted,
    )
    await restarted.settled()
    expect(await restarted.machineStates(edge.org)).toMatchObject([{ state: 'running', since: START + 61_000 }])
  })

  it('lists by urgency, filters, and pages without a hole', async () => {
    for (let i = 2; i < 12; i++) detection.edge(edge).onBirth(`oven-${i}`, OVEN)
    send([
      ['temperature', 0, 91],
      ['temperature', 3, 101],
    ])
    await detection.settled()
    const all = await detection.alarms(edge.org)
    expect(all.items).toHaveLength(33)
    expect(all.items.slice(0, 2)).toMatchObject([
      { priority: 'critical', state: 'B' },
      { priority: 'critical', state: 'B' },
    ])
    const paged: string[] = []
    let cursor: string | null | undefined
    do {
      const page = await detection.alarms(edge.org, { limit: 7, ...(cursor ? { cursor } : {}) })
      paged.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
    } while (cursor)
    expect(paged).toEqual(all.items.map(({ id }) => id))
    expect((await detection.alarms(edge.org, { isAnnunciated: true })).items).toHaveLength(2)
    expect((await detection.alarms(edge.org, { text: 'OVEN-1', priorities: ['critical'] })).items).toHaveLength(2)
    expect((await detection.alarms(edge.org, { devices: [`${edge.group}/line-1/oven-3`] })).items).toHaveLength(3)
  })

  it('commits an alarm within a few milliseconds at low load', async () => {
    await detection.settled()
    const took: number[] = []
    for (let i = 0; i < 40; i++) {
      const began = performance.now()
      send([['temperature', i * 10, i % 2 === 0 ? 95 : 50]])
      await detection.settled()
      took.push(performance.now() - began)
    }
    took.sort((a, b) => a - b)
    process.stdout.write(`sample → committed event: p50 ${took[20]?.toFixed(1)} ms, max ${took[39]?.toFixed(1)} ms\n`)
    expect((await log()).length).toBeGreaterThan(40)
    expect(took[20]).toBeLessThan(250)
  })
})
