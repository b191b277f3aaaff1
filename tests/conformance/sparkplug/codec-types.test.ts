import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codeOfType, dataTypeOfCode } from '#shared/sparkplug/datatype.ts'
import {
  decodePayload,
  encodePayload,
  type Metrics,
  type OutgoingMetric,
  type OutgoingPayload,
  type OutgoingTemplate,
  PayloadError,
  type Property,
  type Template,
} from '#shared/sparkplug/payload.ts'
import { ProtoPayload } from '#tests/support/sparkplug-decoder.ts'
import { field } from './codec-arbitraries.ts'
import { METRIC_TYPES, modelArb } from './codec-models.ts'
import { present, protoPayload } from './codec-proto.ts'
import { drawArb, scrambled } from './codec-scramble.ts'

const protoDecode = (bytes: Uint8Array) =>
  ProtoPayload.toObject(ProtoPayload.decode(bytes), { longs: String, bytes: Uint8Array })
const protoEncode = (payload: object): Uint8Array =>
  new Uint8Array(ProtoPayload.encode(ProtoPayload.fromObject(payload as Record<string, unknown>)).finish())

/** What the decoder shows, in the form of what was sent, whose types it is read by. */
function readBack(bytes: Uint8Array, sent: OutgoingPayload): object {
  const { timestamp, seq, uuid, ...payload } = { ...decodePayload(bytes), metrics: decodePayload(bytes) }
  return present({ timestamp, seq, uuid, metrics: readMetrics(payload.metrics, sent.metrics) })
}

function readMetrics(metrics: Metrics, sent: readonly OutgoingMetric[]): object[] {
  expect(metrics.count).toBe(sent.length)
  return sent.map((metric, i) => {
    const properties = metrics.properties(i)
    return present({
      name: metrics.name(i),
      alias: metrics.alias(i),
      timestamp: metrics.timestampOf(i),
      type: metric.isTyped ? metrics.anyTypeOf(i) : metric.type,
      isTyped: metrics.anyTypeOf(i) === undefined ? undefined : true,
      isHistorical: metrics.isHistorical(i) || undefined,
      isTransient: metrics.isTransient(i) || undefined,
      value: readValue(metrics, i, metric),
      properties: properties && Object.fromEntries(properties),
      metadata: metrics.metadata(i),
    })
  })
}

function readValue(metrics: Metrics, i: number, sent: OutgoingMetric): unknown {
  const value = metrics.anyValueAs(i, sent.type)
  if (sent.type !== 'template' || value === null) return value
  const { metrics: members, version, templateRef, isDefinition, parameters } = value as Template
  const sentMembers = (sent.value as OutgoingTemplate).metrics
  return { ...present({ version, templateRef, isDefinition }), parameters, metrics: readMetrics(members, sentMembers) }
}

const plain = ({ metrics, ...head }: OutgoingPayload): object => present({ ...head, metrics: metrics.map(plainMetric) })

const plainMetric = (metric: OutgoingMetric): object =>
  metric.type === 'template' && metric.value !== null
    ? present({ ...metric, value: plainTemplate(metric.value as OutgoingTemplate) })
    : present({ ...metric })

const plainTemplate = (template: OutgoingTemplate): object => ({
  ...present({ ...template }),
  parameters: template.parameters,
  metrics: template.metrics.map(plainMetric),
})

describe('the codec, for every type of Sparkplug 3.0', () => {
  it('writes what protobufjs reads', () => {
    fc.assert(
      fc.property(modelArb, (model) => {
        expect(present(protoDecode(encodePayload(model)))).toEqual(protoPayload(model))
      }),
      { numRuns: 300 },
    )
  })

  it('reads what protobufjs writes', () => {
    fc.assert(
      fc.property(modelArb, (model) => {
        expect(readBack(protoEncode(protoPayload(model)), model)).toEqual(plain(model))
      }),
      { numRuns: 300 },
    )
  })

  it('reads the same with fields in any order, unknown fields between and scalars twice, of which the last counts', () => {
    fc.assert(
      fc.property(modelArb, drawArb, (model, draw) => {
        const bytes = scrambled(encodePayload(model), draw)
        expect(present(protoDecode(bytes))).toEqual(protoPayload(model))
        expect(readBack(bytes, model)).toEqual(plain(model))
      }),
      { numRuns: 300 },
    )
  })

  it('takes the last of two values of different kinds', () => {
    const values = [...field(10, 0, [7]), ...field(15, 2, [65]), ...field(17, 2, [1]), ...field(14, 0, [1])]
    const payload = decodePayload(Uint8Array.from(field(2, 2, values)))
    expect(payload.valueAs(0, 'boolean')).toBe(true)
    expect(() => payload.valueAs(0, 'int32')).toThrow(PayloadError)
    expect(() => payload.anyValueAs(0, 'dataset')).toThrow(PayloadError)
  })

  it('reads the types of a data set also where they come packed', () => {
    const columns = [...field(1, 0, [2]), ...field(2, 2, [65]), ...field(2, 2, [66]), ...field(3, 2, [3, 12])]
    const row = field(4, 2, [...field(1, 2, field(1, 0, [7])), ...field(1, 2, field(6, 2, [67]))])
    const bytes = Uint8Array.from(field(2, 2, field(17, 2, [...columns, ...row])))
    const dataSet = { columns: ['A', 'B'], types: ['int32', 'string'], rows: [[7, 'C']] }
    expect(decodePayload(bytes).anyValueAs(0, 'dataset')).toEqual(dataSet)
  })

  it('knows the 32 types of metrics by their numbers', () => {
    expect(METRIC_TYPES.map(codeOfType).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 34 }, (_, i) => i + 1).filter((code) => code !== 20 && code !== 21),
    )
    for (const type of METRIC_TYPES) expect(dataTypeOfCode(codeOfType(type))).toBe(type)
    for (const code of [0, 20, 21, 35]) expect(dataTypeOfCode(code)).toBeUndefined()
  })

  it.each([
    ['int8array', Int8Array.of(-23, 123), 'e97b'],
    ['int16array', Int16Array.of(-30000, 30000), 'd08a3075'],
    ['int32array', Int32Array.of(-1, 315338746), 'fffffffffaafcb12'],
    ['uint8array', Uint8Array.of(23, 250), '17fa'],
    ['uint16array', Uint16Array.of(30, 52360), '1e0088cc'],
    ['uint32array', Uint32Array.of(52, 3293969225), '3400000049fb55c4'],
    ['floatarray', Float32Array.of(1.23, 89.341), 'a4709d3f98aeb242'],
    ['booleanarray', [false, false, true, true, false, true, false, false, true, true, false, true], '0c00000034d0'],
    ['stringarray', ['ABC', 'hello'], '41424300' + '68656c6c6f00'],
    ['datetimearray', [1256102875335, 1656107875000], 'c7d0907524010000' + 'b8bab89781010000'],
  ] as const)('packs %s as the examples of the specification', (type, value, hex) => {
    const bytes = encodePayload({ metrics: [{ type, value }] })
    expect(Buffer.from(bytes).toString('hex')).toMatch(new RegExp(`${hex}$`))
    expect(decodePayload(bytes).anyValueAs(0, type)).toEqual(value)
  })
})

/** A metric whose value is this content, as a payload. */
const withValue = (number: number, content: readonly number[]) =>
  Uint8Array.from(field(2, 2, field(number, 2, content)))

describe('a nested value that is none', () => {
  const text = (number: number, value: string) => field(number, 2, [...Buffer.from(value)])

  it.each([
    ['a data set without types', 'dataset', withValue(17, text(2, 'a'))],
    [
      'a data set of another width',
      'dataset',
      withValue(17, [...field(1, 0, [2]), ...text(2, 'a'), ...field(3, 0, [3])]),
    ],
    ['a row that is short', 'dataset', withValue(17, [...text(2, 'a'), ...field(3, 0, [3]), ...field(4, 2, [])])],
    [
      'a row that is long',
      'dataset',
      withValue(17, [...text(2, 'a'), ...field(3, 0, [3]), ...field(4, 2, [...field(1, 2, []), ...field(1, 2, [])])]),
    ],
    ['a column of bytes', 'dataset', withValue(17, [...text(2, 'a'), ...field(3, 0, [17])])],
    [
      'a cell of another type',
      'dataset',
      withValue(17, [...text(2, 'a'), ...field(3, 0, [12]), ...field(4, 2, field(1, 2, field(1, 0, [1])))]),
    ],
    ['a data set that is cut off', 'dataset', withValue(17, [0x12, 5, 65])],
    ['a data set as template', 'template', withValue(17, [])],
    ['a template that is cut off', 'template', withValue(18, [0x12])],
    ['a parameter without a type', 'template', withValue(18, field(3, 2, text(1, 'a')))],
    ['numbers that are cut off', 'int32array', withValue(16, [1, 2, 3])],
    ['more booleans than bytes', 'booleanarray', withValue(16, [9, 0, 0, 0, 0xff])],
    ['four thousand million booleans', 'booleanarray', withValue(16, [255, 255, 255, 255, 0xff])],
    ['strings that are no UTF-8', 'stringarray', withValue(16, [0xff, 0])],
  ] as const)('is refused: %s', (_, type, bytes) => {
    expect(() => decodePayload(bytes).anyValueAs(0, type)).toThrow(PayloadError)
  })

  it('is refused when templates stand in each other without end', () => {
    let bomb: number[] = []
    for (let i = 0; i < 1000; i++) bomb = field(2, 2, field(18, 2, bomb))
    let metrics: Metrics = decodePayload(Uint8Array.from(bomb))
    const open = () => {
      for (let depth = 0; depth < 1000; depth++) metrics = (metrics.anyValueAs(0, 'template') as Template).metrics
    }
    expect(open).toThrow(PayloadError)
  })

  it('is refused when properties stand in each other without end', () => {
    let bomb: number[] = []
    const inSet = (content: number[]) => [
      ...text(1, 'a'),
      ...field(2, 2, [...field(1, 0, [20]), ...field(9, 2, content)]),
    ]
    for (let i = 0; i < 1000; i++) bomb = inSet(bomb)
    const payload = decodePayload(Uint8Array.from(field(2, 2, field(9, 2, bomb))))
    expect(payload.property(0, 'a')).toBeUndefined()
    expect(() => payload.properties(0)).toThrow(PayloadError)
  })

  it('does not keep the other metrics from being read', () => {
    const bytes = Uint8Array.from([...withValue(17, [0x12, 5]), ...field(2, 2, field(10, 0, [7]))])
    expect(decodePayload(bytes).valueAs(1, 'int32')).toBe(7)
  })
})

describe('the encoder', () => {
  const property = (value: unknown) => ({ type: 'int32', value }) as Property

  it.each([
    { type: 'int8array', value: [1, 2] },
    { type: 'booleanarray', value: [1] },
    { type: 'stringarray', value: ['a\0b'] },
    { type: 'datetimearray', value: [0.5] },
    { type: 'dataset', value: { columns: ['a'], types: [], rows: [] } },
    { type: 'dataset', value: { columns: ['a'], types: ['int8'], rows: [[]] } },
    { type: 'dataset', value: { columns: ['a'], types: ['int8'], rows: [[500]] } },
    { type: 'template', value: 5 },
    { type: 'file', value: 'a' },
    { type: 'int8', value: 1, properties: { a: property('x') } },
  ] as unknown as OutgoingMetric[])('refuses what is no value of its type: %j', (metric) => {
    expect(() => encodePayload({ metrics: [metric] })).toThrow(RangeError)
  })
})
