import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type LoopEdge, type LoopPipeline, startLoopPipeline } from '#tests/support/loop-pipeline.ts'
import type { ProtoMetric } from '#tests/support/sparkplug-decoder.ts'
import { bdSeqMetric, rebirthMetric } from '#tests/support/wire-edge.ts'
import type { WriteCommand } from '../contract.ts'

let loop: LoopPipeline
let edge: LoopEdge
let group = ''
let groups = 0

beforeAll(async () => {
  loop = await startLoopPipeline({ reorderMs: 1000, commandTimeoutMs: 10_000 })
})
afterAll(() => loop.close())
beforeEach(async () => {
  group = `plant-${++groups}`
  edge = await loop.edge(group, 'line-1')
})

const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 15_000, interval: 10 })
const at = () => ({ timestamp: String(Date.now()) })
const live = async (tag: string) => (await loop.pipeline.tag(`${group}/line-1/${tag}`))?.live
const commands = () => loop.broker.published.filter(({ topic }) => topic.startsWith(`spBv1.0/${group}/`))
const rebirths = () =>
  commands().filter(({ payload }) => payload.metrics?.some(({ name }) => name === 'Node Control/Rebirth'))

/** Everything that was said is in the tables: another edge that was born after it is there. */
async function written(name: string): Promise<void> {
  const other = await loop.edge(`${group}-${name}`, 'line-1')
  other.say('NBIRTH', [bdSeqMetric(0), rebirthMetric()])
  await eventually(async () => {
    const found = loop.database.db.system.selectFrom('outbox').select('data').where('type', '=', 'edge.connected')
    return (await found.execute()).some(({ data }) => data.group === `${group}-${name}`)
  }).toBe(true)
}

/** Metrics by which an edge answers commands. */
const ANSWERING: ProtoMetric[] = [
  { name: 'Andon/Command Id', datatype: 12, is_null: true },
  { name: 'Andon/Command Result', alias: '3', datatype: 12, is_null: true },
]
const METER: ProtoMetric[] = [
  { name: 'power', alias: '7', datatype: 10, double_value: 1 },
  { name: 'setpoint', alias: '8', datatype: 1, int_value: 1 },
  { name: 'label', datatype: 12, string_value: 'a' },
  { name: 'energy', alias: '9', datatype: 8, long_value: '1' },
]
const timed = (metrics: readonly ProtoMetric[]) => metrics.map((metric) => ({ ...at(), ...metric }))

async function born(more: readonly ProtoMetric[] = [], bdSeq = 0): Promise<void> {
  edge.say('NBIRTH', [bdSeqMetric(bdSeq), rebirthMetric()])
  edge.say('DBIRTH', timed([...METER, ...more]), 'meter')
  await eventually(async () => (await live('meter/energy'))?.isStale).toBe(false)
}
const power = (value: number) => edge.say('DDATA', timed([{ alias: '7', double_value: value }]), 'meter')

describe('a session', () => {
  it('goes on after a restart of the host, by the aliases and types of before', async () => {
    await born()
    await loop.restart()
    expect((await live('meter/energy'))?.isStale).toBe(true)
    edge.say(
      'DDATA',
      timed([
        { alias: '9', long_value: '18446744073709551615' },
        { alias: '8', int_value: 0xfffffffe },
      ]),
      'meter',
    )
    await eventually(async () => (await live('meter/energy'))?.value).toBe(2n ** 64n - 1n)
    expect((await live('meter/setpoint'))?.value).toBe(-2)
    expect(rebirths()).toEqual([])
  })

  it('takes a birth that comes twice as one', async () => {
    await born()
    await born()
    power(5)
    await eventually(async () => (await live('meter/power'))?.value).toBe(5)
    expect(
      (await loop.pipeline.tags({ org: loop.org, limit: 1000 })).items.filter((tag) => tag.group === group),
    ).toHaveLength(4)
    const { rows } = await eventsOf('device.born')
    expect(rows).toHaveLength(1)
  })

  it('writes nothing when it is born again as it was', async () => {
    await born()
    const rows = async () => {
      const { rows } = await sql`
        select s.at, d.born_at, s.xmin::text as written, d.xmin::text as touched,
          (select count(*) from outbox where data->>'group' = ${group}) as events
        from edge_sessions s join edges e on e.id = s.edge_id join devices d on d.edge_id = e.id where e.group_id = ${group}
      `.execute(loop.database.db.system)
      return rows
    }
    await written('a')
    const before = await rows()
    edge.say('NBIRTH', [bdSeqMetric(0), rebirthMetric()])
    await setImmediate()
    edge.say('DBIRTH', timed(METER), 'meter')
    power(5)
    await eventually(async () => (await live('meter/power'))?.value).toBe(5)
    await written('b')
    expect(await rows()).toEqual(before)
  })

  it('does not end by the death of one before', async () => {
    await born([], 4)
    await born([], 5)
    edge.send('NDEATH', { metrics: [bdSeqMetric(4)] })
    expect((await live('meter/power'))?.isStale).toBe(false)
    edge.send('NDEATH', { metrics: [bdSeqMetric(5)] })
    expect((await live('meter/power'))?.isStale).toBe(true)
    expect((await loop.pipeline.edges(loop.org)).find((status) => status.group === group)?.status).toBe('offline')
  })

  it('ends the device of a DDEATH alone', async () => {
    await born()
    edge.say('DBIRTH', timed([{ name: 'speed', alias: '30', datatype: 10, double_value: 1 }]), 'motor')
    await eventually(async () => (await live('motor/speed'))?.isStale).toBe(false)
    edge.say('DDEATH', [], 'motor')
    expect([(await live('motor/speed'))?.isStale, (await live('meter/power'))?.isStale]).toEqual([true, false])
  })
})

const eventsOf = async (type: string) => {
  const rows = await loop.database.db.system.selectFrom('outbox').select('data').where('type', '=', type).execute()
  return { rows: rows.filter(({ data }) => data.group === group) }
}

describe('a lost connection to the broker', () => {
  it('makes every value stale; an edge that speaks is fresh again, and the others are asked', async () => {
    await born()
    loop.broker.link(false)
    expect((await live('meter/power'))?.isStale).toBe(true)
    loop.broker.link(true)
    await eventually(() => rebirths().length).toBe(1)
    power(2)
    expect((await live('meter/power'))?.isStale).toBe(false)
  })

  it('ends a session that says nothing afterwards, for its death may have been missed', async () => {
    await born()
    loop.broker.link(false)
    loop.broker.link(true)
    loop.pass(30_000)
    await eventually(
      async () => (await loop.pipeline.edges(loop.org)).find((status) => status.group === group)?.status,
    ).toBe('offline')
  })
})

describe('a rebirth request', () => {
  it('is repeated with its datatype, for senders of before 3.0, until the birth comes', async () => {
    power(1)
    expect(rebirths()).toHaveLength(1)
    loop.pass(6000)
    await eventually(() => rebirths().length).toBe(2)
    const typed = rebirths().map(({ payload }) => payload.metrics?.[0]?.datatype)
    expect(typed).toEqual([undefined, 11])
    await born()
    loop.pass(60_000)
    power(9)
    await eventually(async () => (await live('meter/power'))?.value).toBe(9)
    expect(rebirths()).toHaveLength(2)
  })

  it('follows a message that stays away, and not one that was late', async () => {
    await born()
    const late = { ...at(), seq: String(edge.seq++), metrics: timed([{ alias: '7', double_value: 2 }]) }
    power(3)
    expect((await live('meter/power'))?.value).toBe(1)
    edge.send('DDATA', late, 'meter')
    expect((await live('meter/power'))?.value).toBe(3)
    loop.pass(5000)
    edge.seq++
    power(4)
    await eventually(() => rebirths().length).toBe(0)
    loop.pass(2000)
    await eventually(async () => (await live('meter/power'))?.value).toBe(4)
    expect(rebirths()).toHaveLength(1)
  })
})

const write = (metrics: WriteCommand['metrics'], commandId: string = randomUUID()) =>
  loop.pipeline.command({ edge: { group, edge: 'line-1' }, device: 'meter', metrics, commandId })
const answer = (result: object) =>
  edge.say('DDATA', timed([{ alias: '3', string_value: JSON.stringify(result) }]), 'meter')

describe('a command', () => {
  it('is answered by its result', async () => {
    await born(ANSWERING)
    const id = randomUUID()
    const outcome = write([{ name: 'setpoint', value: -5 }], id)
    await eventually(() => commands().length).toBe(1)
    expect(commands()[0]).toMatchObject({ topic: `spBv1.0/${group}/DCMD/line-1/meter`, qos: 0, retain: false })
    const metrics = commands()[0]?.payload.metrics
    expect(metrics).toMatchObject([
      { alias: '8', int_value: 0xfffffffb },
      { name: 'Andon/Command Id', string_value: id },
    ])
    answer({ id: randomUUID(), status: 'done' })
    answer({ id, status: 'failed', error: 'The device is locked' })
    expect(await outcome).toEqual({ id, status: 'failed', error: 'The device is locked' })
  })

  it("carries what is expected to be there, in the metric's own type", async () => {
    await born(ANSWERING)
    void write([{ name: 'setpoint', value: -5, expected: 7 }])
    await eventually(() => commands().length).toBe(1)
    const [written] = commands()[0]?.payload.metrics ?? []
    expect(written?.properties).toMatchObject({ keys: ['Andon Expected'], values: [{ type: 1, int_value: 7 }] })
  })

  it('is one command for one id, whatever comes of it', async () => {
    await born(ANSWERING)
    const id = randomUUID()
    const outcomes = [write([{ name: 'setpoint', value: 1 }], id), write([{ name: 'setpoint', value: 1 }], id)]
    answer({ id, status: 'done' })
    expect(await Promise.all(outcomes)).toEqual([
      { id, status: 'done' },
      { id, status: 'done' },
    ])
    expect(await write([{ name: 'setpoint', value: 1 }], id)).toEqual({ id, status: 'done' })
    expect(commands()).toHaveLength(1)
  })

  it('leaves again while it is not answered, and is given up in words', async () => {
    await born(ANSWERING)
    const id = randomUUID()
    const outcome = write([{ name: 'setpoint', value: 1 }], id)
    loop.pass(3000)
    await eventually(() => commands().length).toBeGreaterThan(1)
    loop.pass(10_000)
    const words = `${group}/line-1 did not answer within 10 s; the command may have been carried out or not`
    expect(await outcome).toEqual({ id, status: 'timed-out', error: words })
  })

  it('is told as sent to an edge that answers none', async () => {
    await born()
    expect(await write([{ name: 'label', value: 'b' }])).toMatchObject({ status: 'sent' })
    expect(commands()[0]?.payload.metrics).toMatchObject([{ name: 'label', string_value: 'b' }])
    expect(commands()[0]?.payload.metrics?.[0]?.datatype).toBeUndefined()
  })

  it('carries datatypes to an edge that does so itself', async () => {
    await born()
    edge.say('DDATA', timed([{ alias: '7', datatype: 10, double_value: 2 }]), 'meter')
    await write([{ name: 'setpoint', value: 1 }])
    expect(commands()[0]?.payload.metrics).toMatchObject([{ alias: '8', datatype: 1 }])
  })

  it.each([
    ['an unknown metric', [{ name: 'speed', value: 1 }], 'command.unknown-metric'],
    ['a metric of the protocol', [{ name: 'Node Control/Rebirth', value: true }], 'command.unknown-metric'],
    ['a number too large', [{ name: 'setpoint', value: 128 }], 'command.misfit'],
    ['a fraction', [{ name: 'setpoint', value: 1.5 }], 'command.misfit'],
    ['a text for a number', [{ name: 'power', value: 'x' }], 'command.misfit'],
    ['a negative energy', [{ name: 'energy', value: -1n }], 'command.misfit'],
    ['nothing', [], 'command.empty'],
  ] as [string, WriteCommand['metrics'], string][])(
    'with %s is refused, and nothing leaves',
    async (_, metrics, code) => {
      await born(ANSWERING)
      await expect(write(metrics)).rejects.toMatchObject({ name: 'DomainError', code })
      expect(commands()).toEqual([])
    },
  )

  it('is refused while the edge is offline or unknown', async () => {
    await expect(write([{ name: 'power', value: 1 }])).rejects.toMatchObject({ code: 'edge.offline' })
    const unknown = { edge: { group, edge: 'nobody' }, metrics: [], commandId: 'x' }
    await expect(loop.pipeline.command(unknown)).rejects.toMatchObject({ code: 'edge.unknown' })
  })
})
