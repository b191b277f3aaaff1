import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { type LoopEdge, type LoopPipeline, startLoopPipeline } from '#tests/support/loop-pipeline.ts'
import { startTestDatabase, type TestDatabase } from '#tests/support/postgres.ts'
import type { ProtoMetric } from '#tests/support/sparkplug-decoder.ts'
import { bdSeqMetric, connectWireEdge, rebirthMetric, type WireEdgeOptions } from '#tests/support/wire-edge.ts'
import { hashEdgeSecret, type Pipeline, startPipeline } from '../index.ts'
import { TOLERANCES, type Tolerance } from './tolerances.ts'

let loop: LoopPipeline
let edge: LoopEdge
let group = ''
let groups = 0
let before: (rule: Tolerance) => number

beforeAll(async () => {
  loop = await startLoopPipeline({ reorderMs: 1000 })
})
afterAll(() => loop.close())
beforeEach(async () => {
  group = `plant-${++groups}`
  edge = await loop.edge(group, 'line-1')
  const counts = new Map<Tolerance, number>()
  before = (rule) => counts.get(rule) ?? 0
  for (const rule of RULES) counts.set(rule, loop.counted('sparkplug_tolerances_total', rule))
})

const at = () => ({ timestamp: String(Date.now()) })
const power = (value: number): ProtoMetric => ({
  name: 'power',
  alias: '7',
  datatype: 10,
  double_value: value,
  ...at(),
})
const power7 = (value: number): ProtoMetric => ({ alias: '7', double_value: value, ...at() })
const without = (key: keyof ProtoMetric, metric: ProtoMetric): ProtoMetric => {
  const { [key]: _, ...rest } = metric
  return rest
}
const node = () => [bdSeqMetric(0), rebirthMetric()]
const RULES = Object.keys(TOLERANCES) as Tolerance[]

const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 15_000, interval: 10 })
const value = async () => (await loop.pipeline.tag(`${group}/line-1/meter/power`))?.live.value
const isStale = async () => (await loop.pipeline.tag(`${group}/line-1/meter/power`))?.live.isStale
const counted = (rule: Tolerance) => loop.counted('sparkplug_tolerances_total', rule) - before(rule)
const faults = async () =>
  (await loop.pipeline.edges(loop.org))
    .find((status) => status.group === group)
    ?.faults.filter(({ code }) => code.startsWith('sparkplug.'))

/** The value is taken, and exactly this rule is named: in the metric, and in words among the faults of the edge. */
async function isTolerated(rule: Tolerance, shown: number): Promise<void> {
  await eventually(value).toBe(shown)
  expect(counted(rule)).toBeGreaterThan(0)
  for (const other of RULES) if (other !== rule) expect([other, counted(other)]).toEqual([other, 0])
  expect(await faults()).toMatchObject([{ code: `sparkplug.${rule}` }])
}

/** Births as they should be. */
async function born(): Promise<void> {
  edge.say('NBIRTH', node())
  edge.say('DBIRTH', [power(0)], 'meter')
  await eventually(value).toBe(0)
}

describe('an edge of another make that keeps the rules', () => {
  it('has no rule named', async () => {
    await born()
    edge.say('DDATA', [power7(5)], 'meter')
    await eventually(value).toBe(5)
    for (const rule of RULES) expect([rule, counted(rule)]).toEqual([rule, 0])
    expect(await faults()).toEqual([])
  })
})

type Cases = Partial<Record<Tolerance, () => void>>

const DATA: Cases = {
  'datatype-in-data': () => edge.say('DDATA', [{ ...power7(5), datatype: 10 }], 'meter'),
  'name-in-data': () => edge.say('DDATA', [without('alias', without('datatype', power(5)))], 'meter'),
  'missing-metric-timestamp': () => edge.say('DDATA', [{ alias: '7', double_value: 5 }], 'meter'),
  'missing-timestamp': () => edge.send('DDATA', { seq: '2', metrics: [power7(5)] }, 'meter'),
  'missing-seq': () => edge.send('DDATA', { ...at(), metrics: [power7(5)] }, 'meter'),
  'seq-out-of-range': () => edge.send('DDATA', { ...at(), seq: '258', metrics: [power7(5)] }, 'meter'),
}

describe('data that break a rule', () => {
  it.each(Object.entries(DATA) as [Tolerance, () => void][])('are taken: %s', async (rule, say) => {
    await born()
    say()
    await isTolerated(rule, 5)
  })

  it('are taken as they come when sequence numbers follow no rule', async () => {
    await born()
    for (let i = 1; i <= 5; i++) {
      edge.send('DDATA', { ...at(), seq: String((i * 17) % 256), metrics: [power7(i)] }, 'meter')
      loop.pass(1500)
      await eventually(value).toBe(i)
    }
    edge.send('DDATA', { ...at(), seq: '3', metrics: [power7(9)] }, 'meter')
    await isTolerated('sequence-useless', 9)
  })
})

const old = () => String(Date.now() - 60_000)
const BIRTHS: Cases = {
  'rebirth-alias': () => {
    edge.say('NBIRTH', [bdSeqMetric(0), { ...rebirthMetric(), alias: '1' }])
    edge.say('DBIRTH', [power(5)], 'meter')
  },
  'no-rebirth-metric': () => {
    edge.say('NBIRTH', [bdSeqMetric(0)])
    edge.say('DBIRTH', [power(5)], 'meter')
  },
  'births-out-of-time-order': () => {
    edge.say('NBIRTH', node())
    edge.send('DBIRTH', { timestamp: old(), seq: '1', metrics: [power(5)] }, 'meter')
  },
  'nbirth-seq-not-zero': () => {
    edge.send('NBIRTH', { ...at(), seq: '41', metrics: node() })
    edge.send('DBIRTH', { ...at(), seq: '42', metrics: [power(5)] }, 'meter')
  },
  'dbirth-before-nbirth': () => {
    edge.say('DBIRTH', [power(5)], 'meter')
    edge.say('NBIRTH', node())
  },
  'missing-datatype': () => {
    edge.say('NBIRTH', node())
    edge.say('DBIRTH', [power(5), { name: 'odd', alias: '8', ...at(), double_value: 1 }], 'meter')
  },
  'unknown-datatype': () => {
    edge.say('NBIRTH', node())
    edge.say('DBIRTH', [power(5), { name: 'odd', alias: '8', ...at(), datatype: 99, int_value: 1 }], 'meter')
  },
  'nbirth-without-bdseq': () => {
    edge.say('NBIRTH', [rebirthMetric()])
    edge.say('DBIRTH', [power(5)], 'meter')
  },
  'bdseq-not-int64': () => {
    edge.say('NBIRTH', [{ name: 'bdSeq', ...at(), datatype: 8, long_value: '0' }, rebirthMetric()])
    edge.say('DBIRTH', [power(5)], 'meter')
  },
  'alias-not-unique': () => {
    edge.say('NBIRTH', [...node(), { name: 'cpu', alias: '7', ...at(), datatype: 10, double_value: 1 }])
    edge.say('DBIRTH', [power(5)], 'meter')
  },
}

describe('births that break a rule', () => {
  it.each(Object.entries(BIRTHS) as [Tolerance, () => void][])('are taken: %s', async (rule, say) => {
    say()
    await isTolerated(rule, 5)
  })

  it('are taken in the order of their numbers when a device’s overtakes the node’s', async () => {
    edge.send('DBIRTH', { ...at(), seq: '1', metrics: [power(5)] }, 'meter')
    edge.send('NBIRTH', { ...at(), seq: '0', metrics: node() })
    edge.send('DDATA', { ...at(), seq: '2', metrics: [power7(6)] }, 'meter')
    await eventually(value).toBe(6)
  })
})

const DEATHS: Partial<Record<Tolerance, () => Promise<void>>> = {
  'ndeath-without-bdseq': async () => {
    await born()
    edge.send('NDEATH', { metrics: [] })
    await eventually(isStale).toBe(true)
    expect(counted('ndeath-without-bdseq')).toBe(1)
  },
  // Another session's death is none of this one's.
  'bdseq-by-alias': async () => {
    edge.say('NBIRTH', [{ ...bdSeqMetric(3), alias: '1' }, rebirthMetric()])
    edge.say('DBIRTH', [power(0)], 'meter')
    await eventually(isStale).toBe(false)
    edge.send('NDEATH', { metrics: [{ alias: '1', long_value: '2' }] })
    expect(await isStale()).toBe(false)
    edge.send('NDEATH', { metrics: [{ alias: '1', long_value: '3' }] })
    expect(await isStale()).toBe(true)
    expect(counted('bdseq-by-alias')).toBe(2)
  },
}

describe('deaths that break a rule', () => {
  it.each(Object.entries(DEATHS) as [Tolerance, () => Promise<void>][])('are taken: %s', async (_, die) => die())

  it('end a session that was opened without bdSeq', async () => {
    edge.say('NBIRTH', [rebirthMetric()])
    edge.say('DBIRTH', [power(0)], 'meter')
    await eventually(isStale).toBe(false)
    edge.send('NDEATH', { metrics: [bdSeqMetric(77)] })
    expect(await isStale()).toBe(true)
  })
})

describe('a rule that is kept again', () => {
  it('is no fault any more in the next session', async () => {
    await born()
    edge.say('DDATA', [{ ...power7(5), datatype: 10 }], 'meter')
    await isTolerated('datatype-in-data', 5)
    edge.send('NDEATH', { metrics: [bdSeqMetric(0)] })
    loop.pass(60_000)
    await born()
    await eventually(async () => (await faults())?.length).toBe(0)
  })
})

type Will = WireEdgeOptions['will']
/** What only a broker in the same process sees: the wills of its clients. */
const WILLS: Partial<Record<Tolerance, Will>> = {
  'will-qos-0': { payload: { metrics: [bdSeqMetric(0)] }, qos: 0 },
  'no-will': null,
}

describe('wills that break a rule, on the embedded broker', () => {
  const counts = new Map<string, number>()
  let database: TestDatabase
  let pipeline: Pipeline
  let dir: string
  let org: string

  beforeAll(async () => {
    database = await startTestDatabase()
    org = await database.newOrg()
    dir = mkdtempSync(join(tmpdir(), 'andon-wills-'))
    const count = (name: string, by: number, { rule }: Readonly<Record<string, string>> = {}) => {
      if (name === 'sparkplug_tolerances_total' && rule) counts.set(rule, (counts.get(rule) ?? 0) + by)
    }
    pipeline = await startPipeline({
      ...{ db: database.db, dataDir: dir, profilesDir: dir, mqtt: { host: '127.0.0.1', port: 0 } },
      ...{ clock: Date.now, log: silentLog, metrics: { count, gauge: () => undefined } },
    })
  })
  afterAll(async () => {
    await pipeline.close()
    await database.close()
    rmSync(dir, { recursive: true })
  })

  async function faultsAfterBirth(name: string, will: Will): Promise<string[]> {
    await pipeline.registerEdge({ org, group: 'wills', edge: name, secretHash: await hashEdgeSecret('right') })
    const { port } = pipeline.mqtt
    const client = await connectWireEdge({
      ...{ port, group: 'wills', edge: name, secret: 'right' },
      ...(will === undefined ? {} : { will }),
    })
    await client.say('NBIRTH', node())
    const status = async () => (await pipeline.edges(org)).find((known) => known.edge === name)
    await eventually(async () => (await status())?.status).toBe('online')
    const codes = (await status())?.faults.map(({ code }) => code) ?? []
    await client.close()
    return codes
  }

  it.each(Object.entries(WILLS) as [Tolerance, Will][])('are admitted, counted and told: %s', async (rule, will) => {
    expect(await faultsAfterBirth(rule, will)).toEqual([`sparkplug.${rule}`])
    expect(counts.get(rule)).toBe(1)
  })

  it('are no fault where they are as they should be', async () => {
    expect(await faultsAfterBirth('right', undefined)).toEqual([])
  })
})

describe('the rules that may be broken', () => {
  it('have a test each', () => {
    const tested = [DATA, BIRTHS, DEATHS, WILLS].flatMap((cases) => Object.keys(cases))
    expect([...tested, 'sequence-useless'].sort()).toEqual([...RULES].sort())
  })
})
