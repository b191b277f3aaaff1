import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeviceCommand } from '#shared/contracts/device-command.ts'
import type { Device, EdgeRegistered } from '#shared/contracts/edge.ts'
import type { PageOf } from '#shared/contracts/http.ts'
import { type ProtoMetric, protoDecode } from '#tests/support/sparkplug-decoder.ts'
import { GROUP, startTestSuite, type TestSuite } from '#tests/support/suite.ts'
import { bdSeqMetric, connectWireEdge, type Heard, rebirthMetric, type WireEdge } from '#tests/support/wire-edge.ts'

let test: TestSuite
let edge: WireEdge
/** What the edge answers to a command; undefined: nothing. */
let result: object | undefined
/** The DCMDs that came, each with its metrics. */
const commands: ProtoMetric[][] = []

const at = () => ({ timestamp: String(Date.now()) })
const ANSWERING: ProtoMetric[] = [
  { name: 'Andon/Command Id', datatype: 12, is_null: true },
  { name: 'Andon/Command Result', alias: '3', datatype: 12, is_null: true },
]
const tags = (first: number): ProtoMetric[] => [
  { name: 'setpoint', alias: String(first), datatype: 10, double_value: 1 },
  { name: 'energy', alias: String(first + 1), datatype: 8, long_value: '1' },
]

function answer({ topic, payload }: Heard): void {
  if (!topic.includes('/DCMD/')) return
  const metrics = protoDecode(payload).metrics ?? []
  commands.push([...metrics])
  const id = metrics.find(({ name }) => name === 'Andon/Command Id')?.string_value
  if (!result || id === undefined) return
  void edge.say('DDATA', [{ ...at(), alias: '3', string_value: JSON.stringify({ id, ...result }) }], 'valve-1')
}

beforeAll(async () => {
  test = await startTestSuite()
  const own = { group: GROUP, edge: 'line-7' }
  const { secret } = await test.post<EdgeRegistered>('engineer', '/api/edges', own, 201)
  edge = await connectWireEdge({ port: test.pipeline.mqtt.port, ...own, secret, onHeard: answer })
  await edge.say('NBIRTH', [bdSeqMetric(0), rebirthMetric()])
  const born = (metrics: readonly ProtoMetric[]) => metrics.map((metric) => ({ ...at(), ...metric }))
  await edge.say('DBIRTH', born([...tags(10), ...ANSWERING]), 'valve-1')
  await edge.say('DBIRTH', born(tags(20)), 'valve-2')
  const profile = { ...at(), name: 'Properties/Profile', datatype: 12, string_value: 'screw-compressor' }
  const state = { ...at(), name: 'state', alias: '30', datatype: 7, int_value: 1 }
  await edge.say('DBIRTH', [state, profile], 'compressor-5')
  await test.eventually(async () => (await devices()).length === 3)
})
afterAll(async () => {
  await edge.close()
  await test.close()
})

const devices = async () => {
  const { items } = await test.get<PageOf<Device>>('engineer', '/api/devices')
  return items.filter((device) => device.edge === 'line-7')
}
const urlOf = async (name: string) => {
  const found = (await devices()).find(({ device }) => device === name)
  return `/api/devices/${found?.id}/commands`
}
const SET = [{ tag: 'setpoint', value: 4.5 }]

interface More {
  readonly key?: string
  readonly status?: number
  readonly who?: string
}

async function send<T = DeviceCommand>(device: string, writes: readonly object[], more: More = {}): Promise<T> {
  const { key = randomUUID(), status = 200, who = 'engineer' } = more
  const headers = { 'idempotency-key': key }
  return test.call<T>(who, 'POST', await urlOf(device), { body: { writes }, status, headers })
}
const outcomeOf = async (device: string, key: string) =>
  test.get<DeviceCommand>('operator', `${await urlOf(device)}/${key}`)

describe('a command to a device', () => {
  it('is carried out once for its key, and its result is told, also later and to others', async () => {
    result = { status: 'done' }
    commands.length = 0
    const key = randomUUID()
    const first = await send('valve-1', SET, { key })
    expect(first).toMatchObject({ id: key, writes: SET, status: 'done', error: null })
    expect(await send('valve-1', SET, { key, who: 'engineer' })).toEqual(first)
    expect(await outcomeOf('valve-1', key)).toEqual(first)
    expect(commands).toHaveLength(1)
    expect(commands[0]).toMatchObject([{ alias: '10', double_value: 4.5 }, { string_value: key }])
  })

  it('stands in audit and activity: who, what, and what became of it', async () => {
    result = { status: 'refused', error: 'The key switch is off' }
    const key = randomUUID()
    expect(await send('valve-1', SET, { key })).toMatchObject({ status: 'refused', error: 'The key switch is off' })
    const { system } = test.database.db
    const audit = await system.selectFrom('audit').selectAll().where('command', 'like', 'device.command%').execute()
    const own = audit.filter(({ input }) => (input as { id?: string }).id === key)
    expect(own).toMatchObject([
      { command: 'device.command', outcome: 'done', rule: 'engineers-command-devices', input: { writes: SET } },
      { command: 'device.command-settle', input: { status: 'refused', error: 'The key switch is off' } },
    ])
    const facts = await system
      .selectFrom('activity')
      .select(['type', 'data', 'actor_id'])
      .where('type', 'like', 'device.command%')
      .orderBy('id')
      .execute()
    const told = facts.filter(({ data }) => data.id === key)
    const device = `${GROUP}/line-7/valve-1`
    expect(told).toMatchObject([
      { type: 'device.commanded', actor_id: own[0]?.actor_id, data: { device, writes: SET } },
      { type: 'device.command-settled', data: { device, writes: SET, by: own[0]?.actor_id, status: 'refused' } },
    ])
  })

  it('keeps every digit of a 64-bit integer', async () => {
    result = { status: 'done' }
    commands.length = 0
    await send('valve-1', [{ tag: 'energy', value: '9007199254740993' }])
    expect(String(commands[0]?.[0]?.long_value)).toBe('9007199254740993')
  })

  it('takes along what is expected to be there', async () => {
    result = { status: 'done' }
    commands.length = 0
    const writes = [{ tag: 'energy', value: '9007199254740993', expected: '9007199254740992' }]
    expect(await send('valve-1', writes)).toMatchObject({ writes })
    const [expected] = commands[0]?.[0]?.properties?.values ?? []
    expect(String(expected?.long_value)).toBe('9007199254740992')
  })

  it('is told as sent to a device that answers none', async () => {
    expect(await send('valve-2', SET)).toMatchObject({ status: 'sent', error: null })
  })

  it('is pending while the edge says nothing, and nobody knows once it was given up', async () => {
    result = undefined
    const key = randomUUID()
    expect(await send('valve-1', SET, { key, status: 202 })).toMatchObject({ status: 'pending', settledAt: null })
    test.clock.advance(11_000)
    await test.eventually(async () => (await outcomeOf('valve-1', key)).status === 'timed-out')
    expect((await outcomeOf('valve-1', key)).error).toContain('may have been carried out or not')
  })

  it.each([
    ['a tag that the device does not have', 'valve-1', [{ tag: 'speed', value: 1 }], 'command.unknown-metric'],
    ['a value of another type', 'valve-1', [{ tag: 'setpoint', value: 'much' }], 'command.misfit'],
    ['a tag that its profile keeps read-only', 'compressor-5', [{ tag: 'state', value: 2 }], 'command.read-only'],
  ])('for %s is refused before anything leaves, and kept as refused', async (_, device, writes, code) => {
    commands.length = 0
    const key = randomUUID()
    expect(await send(device, writes, { key, status: 400 })).toMatchObject({ code })
    expect(await outcomeOf(device, key)).toMatchObject({ status: 'refused', error: expect.any(String) })
    expect(commands).toEqual([])
  })

  it('needs a key, and takes a key for one command alone', async () => {
    expect(await send('valve-1', SET, { key: 'no-uuid', status: 400 })).toMatchObject({
      code: 'idempotency-key.required',
    })
    result = { status: 'done' }
    const key = randomUUID()
    await send('valve-1', SET, { key })
    for (const who of ['engineer', 'admin']) {
      const other = [{ tag: 'setpoint', value: 5 }]
      expect(await send('valve-1', other, { key, who, status: 409 })).toMatchObject({ code: 'idempotency-key.reused' })
    }
  })

  it('is for engineers and administrators alone', async () => {
    result = { status: 'done' }
    expect(await send('valve-1', SET, { who: 'admin' })).toMatchObject({ status: 'done' })
    for (const who of ['operator', 'maintainer', 'manager']) {
      expect(await send('valve-1', SET, { who, status: 403 })).toMatchObject({ code: 'policy.denied' })
    }
  })

  it('to a device that nobody knows is not found', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    const url = `/api/devices/${randomUUID()}/commands`
    await test.call('engineer', 'POST', url, { body: { writes: SET }, status: 404, headers })
    await test.call('engineer', 'GET', `${await urlOf('valve-1')}/${randomUUID()}`, { status: 404 })
  })

  it('to an edge that is offline has failed: nothing was sent', async () => {
    const url = await urlOf('valve-1')
    await edge.cut()
    await test.eventually(async () => (await devices()).every(({ status }) => status === 'offline'))
    const key = randomUUID()
    const more = { body: { writes: SET }, status: 503, headers: { 'idempotency-key': key } }
    expect(await test.call('engineer', 'POST', url, more)).toMatchObject({ code: 'edge.offline' })
    expect(await test.get('engineer', `${url}/${key}`)).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('nothing was sent'),
    })
  })
})
