import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { Quality, Scalar } from '#shared/contracts/sample.ts'
import { DataColumns } from '#shared/sparkplug/columns.ts'
import type { DetectionColumns, DetectionSample, OffsetRange } from './contract.ts'
import { EdgeShard } from './edge-detection.ts'

const name = { en: 'x', 'zh-CN': 'x' }
const NOW = Date.UTC(2026, 10, 23, 8)
const EPOCH = 7n
const TAGS = ['level', 'door', 'state'] as const

const alarm = (key: string, tag: string, condition: AlarmDefinition['condition'], onDelaySeconds = 0) => ({
  ...{ alarm: key, name, tag, priority: 'low' as const, condition, onDelaySeconds },
})

const TANK: DeviceProfile = {
  profile: 'tank',
  version: 1,
  name,
  assetClass: 'tank',
  protocol: 'modbus',
  machineState: { tag: 'state', states: { 1: 'running', 2: 'idle' } },
  tags: TAGS.map((tag, i) => ({ tag, name, address: `holding:${i}`, type: tag === 'door' ? 'bit' : 'float32' })),
  alarms: [
    alarm('high', 'level', { kind: 'limit', levels: [{ level: 'H', setpoint: 6, deadband: 2 }] }),
    alarm('low-delayed', 'level', { kind: 'limit', levels: [{ level: 'L', setpoint: 2, inclusive: true }] }, 2),
    alarm('open', 'door', { kind: 'discrete', abnormal: [true] }),
    alarm('odd-door', 'door', { kind: 'limit', levels: [{ level: 'H', setpoint: 6 }] }),
    alarm('state-high', 'state', { kind: 'limit', levels: [{ level: 'H', setpoint: 6 }] }),
  ],
}

function tank() {
  const edge = new EdgeShard({
    edge: { org: 'org', group: 'works', edge: 'line-1' },
    ...{ points: [], machines: new Map(), memory: undefined, revision: 0, gaps: [], marks: new Map() },
    clock: () => NOW + 3_600_000,
    urgent: () => undefined,
    idle: () => undefined,
    changed: () => undefined,
  })
  edge.onBirth('tank-1', TANK)
  return edge
}

interface Entry {
  readonly tag: number
  readonly afterMs: number
  readonly value: number
  readonly quality: Quality
}

const entries = fc.array(
  fc.record({
    tag: fc.integer({ min: 0, max: 3 }),
    afterMs: fc.integer({ min: -300, max: 1500 }),
    value: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constant(Number.NaN)),
    quality: fc.constantFrom<Quality[]>(192, 192, 192, 64, 0),
  }),
  { minLength: 1, maxLength: 12 },
)

/** Payloads in the order sent; some are left out, some sent again. */
const payloads = fc.array(fc.record({ entries, fate: fc.constantFrom('once', 'once', 'once', 'twice', 'later') }), {
  minLength: 1,
  maxLength: 12,
})

interface Payload {
  readonly columns: DetectionColumns & { readonly range: OffsetRange }
  readonly samples: readonly DetectionSample[]
  readonly at: number
}

/** The same payload in both forms. The fourth tag is one that nothing watches; 0 and 1 of the door mean false and true. */
function payloadOf(given: readonly Entry[], edge: EdgeShard, first: bigint, from: number): Payload {
  const data = new DataColumns()
  const watch = Int32Array.from([...TAGS.map((tag) => edge.tag('tank-1', tag)), -1])
  const truth = Uint8Array.from([0, 1, 0, 0])
  const scalarOf = (tag: number, value: number): Scalar => {
    if (Number.isNaN(value)) return null
    return truth[tag] === 1 ? value !== 0 : value
  }
  let at = from
  const samples = given.map(({ tag, afterMs, value, quality }, i): DetectionSample => {
    at += afterMs
    const number = tag === 1 ? value % 2 : value
    data.slot[i] = tag
    data.ts[i] = at
    data.v[i] = number
    data.q[i] = quality
    return { tag: watch[tag] as number, sourceAt: at, value: scalarOf(tag, number), quality, offset: first + BigInt(i) }
  })
  data.count = given.length
  const scalarAt = ({ slot, v }: DataColumns, i: number) => scalarOf(slot[i] as number, v[i] as number)
  const range = { epoch: EPOCH, first, last: first + BigInt(given.length) - 1n }
  return { columns: { data, tags: { watch, truth, scalarAt }, range }, samples, at }
}

describe('the detection of an edge', () => {
  it('judges columns as it judges samples', () => {
    let events = 0
    fc.assert(
      fc.property(payloads, fc.boolean(), (given, hasJournal) => {
        const [byColumns, bySamples] = [tank(), tank()]
        const take = ({ columns, samples, at }: Payload) => {
          const { data, tags, range } = columns
          byColumns.onColumns(hasJournal ? columns : { data, tags })
          bySamples.onSamples(hasJournal ? { samples, range } : { samples })
          for (const edge of [byColumns, bySamples]) edge.onEventTime(at)
        }
        const later: Payload[] = []
        let [first, at] = [1n, NOW]
        for (const { entries: own, fate } of given) {
          const payload = payloadOf(own, byColumns, first, at)
          first += BigInt(own.length)
          at = payload.at
          if (fate === 'later') later.push(payload)
          else take(payload)
          if (fate === 'twice') take(payload)
        }
        for (const payload of later) take(payload)
        const [one, other] = [byColumns.take('all'), bySamples.take('all')]
        events += one.events.length
        expect(plain(one)).toEqual(plain(other))
        expect(byColumns.lateSamples).toBe(bySamples.lateSamples)
        const states = (edge: EdgeShard) => [...edge.points.all()].map(({ state }) => state)
        expect(states(byColumns)).toEqual(states(bySamples))
      }),
    )
    expect(events).toBeGreaterThan(100)
  })
})

/** What a commit would write, without the objects that hold it. */
function plain({ events, points, late, machines, mark }: ReturnType<EdgeShard['take']>) {
  const rows = points.map(({ slot, ...row }) => ({ ...row, path: slot.rule.path }))
  return { events, rows, late: late.map(({ slot, ...one }) => ({ ...one, path: slot.rule.path })), machines, mark }
}
