import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type LoopEdge, type LoopPipeline, startLoopPipeline } from '#tests/support/loop-pipeline.ts'
import type { ProtoMetric } from '#tests/support/sparkplug-decoder.ts'
import { bdSeqMetric, rebirthMetric } from '#tests/support/wire-edge.ts'
import type { Tolerance } from './tolerances.ts'

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
const RULES: Tolerance[] = [
  'datatype-in-data',
  'name-in-data',
  'rebirth-alias',
  'no-rebirth-metric',
  'births-out-of-time-order',
  'missing-seq',
  'nbirth-seq-not-zero',
  'seq-out-of-range',
  'sequence-useless',
  'missing-timestamp',
  'missing-metric-timestamp',
  'dbirth-before-nbirth',
  'missing-datatype',
  'unknown-datatype',
  'nbirth-without-bdseq',
  'bdseq-not-int64',
  'ndeath-without-bdseq',
  'bdseq-by-alias',
  'alias-not-unique',
]

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

describe('data that break a rule', () => {
  const cases: Partial<Record<Tolerance, () => void>> = {
    'datatype-in-data': () => edge.say('DDATA', [{ ...power7(5), datatype: 10 }], 'meter'),
    'name-in-data': () => edge.say('DDATA', [without('alias', without('datatype', power(5)))], 'meter'),
    'missing-metric-timestamp': () => edge.say('DDATA', [{ alias: '7', double_value: 5 }], 'meter'),
    'missing-timestamp': () => edge.send('DDATA', { seq: '2', metrics: [power7(5)] }, 'meter'),
    'missing-seq': () => edge.send('DDATA', { ...at(), metrics: [power7(5)] }, 'meter'),
    'seq-out-of-range': () => edge.send('DDATA', { ...at(), seq: '258', metrics: [power7(5)] }, 'meter'),
  }
  it.each(Object.entries(cases) as [Tolerance, () => void][])('are taken: %s', async (rule, say) => {
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

describe('births that break a rule', () => {
  const old = () => String(Date.now() - 60_000)
  const cases: Partial<Record<Tolerance, () => void>> = {
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
  it.each(Object.entries(cases) as [Tolerance, () => void][])('are taken: %s', async (rule, say) => {
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

describe('deaths that break a rule', () => {
  it('are taken without bdSeq', async () => {
    await born()
    edge.send('NDEATH', { metrics: [] })
    await eventually(isStale).toBe(true)
    expect(counted('ndeath-without-bdseq')).toBe(1)
  })

  it('are told by the alias of bdSeq, and are no other session’s', async () => {
    edge.say('NBIRTH', [{ ...bdSeqMetric(3), alias: '1' }, rebirthMetric()])
    edge.say('DBIRTH', [power(0)], 'meter')
    await eventually(isStale).toBe(false)
    edge.send('NDEATH', { metrics: [{ alias: '1', long_value: '2' }] })
    expect(await isStale()).toBe(false)
    edge.send('NDEATH', { metrics: [{ alias: '1', long_value: '3' }] })
    expect(await isStale()).toBe(true)
    expect(counted('bdseq-by-alias')).toBe(2)
  })

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
