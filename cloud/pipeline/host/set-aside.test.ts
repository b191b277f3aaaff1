import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type LoopEdge, type LoopPipeline, startLoopPipeline } from '#tests/support/loop-pipeline.ts'
import type { ProtoMetric } from '#tests/support/sparkplug-decoder.ts'
import { bdSeqMetric, rebirthMetric } from '#tests/support/wire-edge.ts'

let loop: LoopPipeline
let group = ''
let groups = 0

beforeAll(async () => {
  loop = await startLoopPipeline({ reorderMs: 1000 })
})
afterAll(() => loop.close())
beforeEach(() => {
  group = `aside-${++groups}`
})
afterEach(() => {
  loop.onCount = undefined
})

const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 15_000, interval: 10 })
const at = () => ({ timestamp: String(Date.now()) })
const POWER: ProtoMetric = { name: 'power', alias: '7', datatype: 10, double_value: 1 }
/** Does not fit its type: counted as such, which is where these tests let the host's surroundings fail. */
const POISON = { alias: '7', string_value: 'x' }
const OFFSETS = ['Andon/First Offset', 'Andon/Last Offset']
const announced = ['1', '0'].map((offset, i) => {
  return { name: OFFSETS[i] ?? '', alias: `${i + 1}`, ...at(), datatype: 8, long_value: offset }
})
const range = (first: number, last: number): ProtoMetric[] =>
  [first, last].map((offset, i) => ({ alias: `${i + 1}`, ...at(), long_value: `${offset}` }))

interface Plant {
  readonly edge: LoopEdge
  readonly say: (metrics: readonly ProtoMetric[], seq?: number) => void
}

async function plant(name: string, epoch?: string): Promise<Plant> {
  const edge = await loop.edge(group, name)
  const node = epoch ? [{ name: 'Andon/Epoch', ...at(), datatype: 8, long_value: epoch }] : []
  edge.say('NBIRTH', [bdSeqMetric(0), rebirthMetric(), ...node, ...(epoch ? announced : [])])
  edge.say('DBIRTH', [{ ...at(), ...POWER }, ...(epoch ? announced : [])], 'meter')
  await eventually(async () => (await live(name))?.isStale).toBe(false)
  return { edge, say: (metrics) => edge.say('DDATA', metrics, 'meter') }
}

const path = (name: string) => `${group}/${name}/meter/power`
const live = async (name: string) => (await loop.pipeline.tag(path(name)))?.live
const stored = async (name: string) =>
  (await loop.pipeline.history.raw({ path: path(name), from: 0, to: 1e14, limit: 100 })).value
const status = async (name: string) =>
  (await loop.pipeline.edges(loop.org)).find(({ edge, group: of }) => of === group && edge === name)
const gaps = async (edge: string) => loop.pipeline.history.gaps({ org: loop.org, group, edge })
const kept = (group_id: string) =>
  loop.database.db.asSystem((tx) =>
    tx
      .withTables<{
        set_aside_payloads: { edge_id: string; error: string; payload: Buffer }
        edges: { id: string; group_id: string }
      }>()
      .selectFrom('set_aside_payloads as s')
      .innerJoin('edges as e', 'e.id', 's.edge_id')
      .select(['s.error', 's.payload'])
      .where('e.group_id', '=', group_id)
      .execute(),
  )

const failOn = (counter: string, times = Number.POSITIVE_INFINITY) => {
  let left = times
  loop.onCount = (name) => {
    if (name === counter && left-- > 0) throw new RangeError('Invalid typed array length')
  }
}

describe('a payload on which the host itself fails', () => {
  it('holds up no other edge, is counted, shown as a fault and recorded as a gap', async () => {
    const sick = await plant('sick')
    const well = await plant('well')
    failOn('values_misfit_total')
    sick.say([{ ...at(), ...POISON }])
    well.say([{ ...at(), alias: '7', double_value: 5 }])
    sick.say([{ ...at(), alias: '7', double_value: 6 }])
    await eventually(async () => (await live('well'))?.value).toBe(5)
    await eventually(async () => (await live('sick'))?.value).toBe(6)
    expect(loop.counted('payloads_set_aside_total', 'DDATA')).toBe(1)
    const faults = (await status('sick'))?.faults ?? []
    expect(faults.map(({ code }) => code)).toContain('edge.payload-set-aside')
    expect(faults.at(-1)?.detail).toContain('Invalid typed array length')
    expect((await status('well'))?.faults).toEqual([])
    await eventually(async () => (await gaps('sick')).map(({ cause, count }) => [cause, count])).toEqual([
      ['set-aside', 1n],
    ])
    await eventually(async () => (await kept(group)).map(({ error }) => error)).toEqual(['Invalid typed array length'])
  })

  it('of a journal is taken when it comes again and the fault is over', async () => {
    const sick = await plant('sick', '5')
    failOn('values_misfit_total', 1)
    sick.say([{ ...at(), ...POISON }, ...range(1, 1)])
    sick.say([{ ...at(), ...POISON }, ...range(1, 1)])
    sick.say([{ ...at(), alias: '7', double_value: 8 }, ...range(2, 2)])
    await eventually(async () => (await stored('sick')).length).toBe(2)
    expect((await stored('sick')).at(-1)).toBe(8)
    expect(await gaps('sick')).toEqual([])
  })

  it('of a journal becomes a gap at the third failure, so that the acknowledgement moves on', async () => {
    const sick = await plant('sick', '6')
    failOn('values_misfit_total')
    for (let i = 0; i < 3; i++)
      sick.say([{ ...at(), ...POISON }, { ...at(), alias: '7', double_value: 3 }, ...range(1, 2)])
    sick.say([{ ...at(), alias: '7', double_value: 9 }, ...range(3, 3)])
    await eventually(async () => (await status('sick'))?.journalDepth).toBe(0n)
    expect((await gaps('sick')).map(({ cause, first, last, count }) => [cause, first, last, count])).toEqual([
      ['set-aside', 1n, 2n, 2n],
    ])
    expect(await stored('sick')).toEqual([9])
    expect((await kept(group)).length).toBe(1)
  })

  it('that fails after history has it is stored once, and closes its range', async () => {
    const sick = await plant('sick', '7')
    failOn('values_total')
    for (let i = 0; i < 3; i++) sick.say([{ ...at(), alias: '7', double_value: 4 }, ...range(1, 1)])
    loop.onCount = undefined
    await eventually(async () => (await status('sick'))?.journalDepth).toBe(0n)
    expect(await stored('sick')).toEqual([4])
    expect(await gaps('sick')).toEqual([])
  })

  it('is asked for again when it is a birth', async () => {
    const edge = await loop.edge(group, 'sick')
    failOn('sparkplug_tolerances_total', 1)
    edge.say('NBIRTH', [bdSeqMetric(0)])
    const asked = () => loop.broker.published.some(({ topic }) => topic === `spBv1.0/${group}/NCMD/sick`)
    await eventually(asked).toBe(true)
    edge.say('NBIRTH', [bdSeqMetric(0), rebirthMetric()])
    edge.say('DBIRTH', [{ ...at(), ...POWER }], 'meter')
    await eventually(async () => (await live('sick'))?.value).toBe(1)
  })

  it('is still told after a restart', async () => {
    const sick = await plant('sick')
    failOn('values_misfit_total')
    sick.say([{ ...at(), ...POISON }])
    await eventually(async () => (await kept(group)).length).toBe(1)
    loop.onCount = undefined
    await loop.restart()
    expect((await status('sick'))?.faults.map(({ code }) => code)).toContain('edge.payload-set-aside')
  })
})
