import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type ProtoMetric,
  type ProtoPayloadObject,
  protoDecode,
  protoEncode,
} from '#tests/support/sparkplug-decoder.ts'
import { codeOfType, typeOfCode } from './datatype.ts'
import {
  decodePayload,
  encodePayload,
  type MetricProperty,
  type MetricValue,
  type OutgoingMetric,
  type OutgoingPayload,
  PayloadError,
  type SparkplugType,
} from './payload.ts'

/** A metric of a type that a tag can hold. */
interface PlainMetric extends OutgoingMetric {
  readonly type: SparkplugType
  readonly value: MetricValue
  readonly properties?: Readonly<Record<string, MetricProperty>>
}
interface PlainPayload extends OutgoingPayload {
  readonly metrics: readonly PlainMetric[]
}

const long = { min: 0n, max: 2n ** 64n - 1n }
const VALUES: Readonly<Record<SparkplugType, fc.Arbitrary<MetricValue>>> = {
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32768, max: 32767 }),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint8: fc.integer({ min: 0, max: 255 }),
  uint16: fc.integer({ min: 0, max: 65535 }),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  uint64: fc.bigInt(long),
  float: fc.float(),
  double: fc.double(),
  boolean: fc.boolean(),
  string: fc.string({ unit: 'grapheme' }),
  datetime: fc.maxSafeNat(),
  text: fc.string({ unit: 'grapheme', maxLength: 300 }),
  uuid: fc.uuid(),
  bytes: fc.uint8Array(),
}
const typeArb = fc.constantFrom(...(Object.keys(VALUES) as SparkplugType[]))
const typed = (type: SparkplugType) => fc.option(VALUES[type], { freq: 8 }).map((value) => ({ type, value }))
const propertyArb: fc.Arbitrary<MetricProperty> = typeArb.filter((type) => type !== 'bytes').chain(typed)
const keyArb = fc.string({ minLength: 1, maxLength: 12 }).filter((key) => key !== '__proto__')
const optional = <T>(arb: fc.Arbitrary<T>) => fc.option(arb, { nil: undefined })
const metricArb: fc.Arbitrary<PlainMetric> = fc
  .tuple(
    typeArb.chain(typed),
    fc.record(
      {
        name: fc.string({ unit: 'grapheme' }),
        alias: fc.oneof(fc.maxSafeNat(), fc.bigInt({ min: 2n ** 53n, max: long.max })),
        timestamp: fc.maxSafeNat(),
        isTyped: fc.boolean(),
        isHistorical: fc.constant(true),
        isTransient: fc.constant(true),
        properties: fc.dictionary(keyArb, propertyArb, { maxKeys: 4 }),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([value, rest]) => ({ ...rest, ...value }))
const payloadArb: fc.Arbitrary<PlainPayload> = fc.record(
  {
    timestamp: optional(fc.maxSafeNat()),
    seq: optional(fc.integer({ min: 0, max: 255 })),
    uuid: optional(fc.string()),
    metrics: fc.array(metricArb, { maxLength: 20 }),
  },
  { requiredKeys: ['metrics'] },
)

/** What a reader of the .proto must find for a value of a type. */
function wireField(type: SparkplugType, value: MetricValue): Partial<ProtoMetric> {
  if (value === null) return { is_null: true }
  if (value instanceof Uint8Array) return { bytes_value: value }
  if (typeof value === 'string') return { string_value: value }
  if (typeof value === 'boolean') return { boolean_value: value }
  if (typeof value === 'bigint') return { long_value: String(BigInt.asUintN(64, value)) }
  if (type === 'float') return { float_value: value }
  if (type === 'double') return { double_value: value }
  return type === 'datetime' ? { long_value: String(value) } : { int_value: value >>> 0 }
}

function asProto(metric: PlainMetric): ProtoMetric {
  const properties = metric.properties && {
    keys: Object.keys(metric.properties),
    values: Object.values(metric.properties).map(({ type, value }) => ({
      type: codeOfType(type),
      ...(wireField(type, value) as object),
    })),
  }
  return prune({
    name: metric.name,
    alias: metric.alias === undefined ? undefined : String(metric.alias),
    timestamp: metric.timestamp === undefined ? undefined : String(metric.timestamp),
    datatype: metric.isTyped ? codeOfType(metric.type) : undefined,
    is_historical: metric.isHistorical,
    is_transient: metric.isTransient,
    properties: properties && prune({ keys: properties.keys, values: properties.values }),
    ...wireField(metric.type, metric.value),
  }) as ProtoMetric
}

function prune<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, v]) => v !== undefined && !(Array.isArray(v) && v.length === 0)),
  ) as Partial<T>
}

const asProtoPayload = (payload: PlainPayload): ProtoPayloadObject =>
  prune({
    timestamp: payload.timestamp === undefined ? undefined : String(payload.timestamp),
    seq: payload.seq === undefined ? undefined : String(payload.seq),
    uuid: payload.uuid,
    metrics: payload.metrics.map(asProto),
  })

/** What our decoder shows, brought into the form of what was sent. */
function readBack(bytes: Uint8Array, sent: PlainPayload): OutgoingPayload {
  const payload = decodePayload(bytes)
  const metrics = sent.metrics.map((metric, i): OutgoingMetric => {
    const keys = Object.keys(metric.properties ?? {})
    return prune({
      name: payload.name(i),
      alias: payload.alias(i),
      timestamp: payload.timestampOf(i),
      type: metric.type,
      isTyped: metric.isTyped === undefined ? undefined : payload.typeOf(i) === metric.type,
      value: payload.valueAs(i, metric.type),
      isHistorical: payload.isHistorical(i) || undefined,
      isTransient: payload.isTransient(i) || undefined,
      properties:
        metric.properties &&
        (Object.fromEntries(keys.map((key) => [key, payload.property(i, key)])) as Record<string, MetricProperty>),
    }) as OutgoingMetric
  })
  expect(payload.count).toBe(sent.metrics.length)
  return { ...prune({ timestamp: payload.timestamp, seq: payload.seq, uuid: payload.uuid }), metrics }
}

const plain = (payload: PlainPayload): OutgoingPayload => ({
  ...prune({ timestamp: payload.timestamp, seq: payload.seq, uuid: payload.uuid }),
  metrics: payload.metrics.map((metric) => prune(metric) as OutgoingMetric),
})

describe('the payload codec', () => {
  it('writes what an independent protobuf decoder reads, for every type', () => {
    fc.assert(
      fc.property(payloadArb, (payload) => {
        expect(prune(protoDecode(encodePayload(payload)))).toEqual(asProtoPayload(payload))
      }),
      { numRuns: 500 },
    )
  })

  it('reads what an independent protobuf encoder writes, for every type', () => {
    fc.assert(
      fc.property(payloadArb, (payload) => {
        expect(readBack(protoEncode(asProtoPayload(payload)), payload)).toEqual(plain(payload))
      }),
      { numRuns: 500 },
    )
  })

  it('keeps the sign of integers that other encoders widen to 64 bits', () => {
    const bytes = protoEncode({ metrics: [{ long_value: String(2n ** 64n - 5n) }] })
    expect(decodePayload(bytes).valueAs(0, 'int8')).toBe(-5)
    expect(decodePayload(bytes).valueAs(0, 'int32')).toBe(-5)
    expect(decodePayload(bytes).valueAs(0, 'int64')).toBe(-5n)
    expect(decodePayload(bytes).valueAs(0, 'uint64')).toBe(2n ** 64n - 5n)
  })

  it('reads data without a datatype by the type that the birth gave', () => {
    const bytes = encodePayload({ metrics: [{ alias: 7, type: 'int16', value: -2 }] })
    expect(decodePayload(bytes).typeOf(0)).toBeUndefined()
    expect(decodePayload(bytes).valueAs(0, 'int16')).toBe(-2)
    expect(() => decodePayload(bytes).valueAs(0, 'string')).toThrow(PayloadError)
  })

  it('steps over fields that it does not know', () => {
    const known = encodePayload({ seq: 4, metrics: [{ alias: 1, type: 'boolean', value: true }] })
    const unknown = new Uint8Array([0xa0, 0x06, 0x01, 0xaa, 0x06, 0x02, 1, 2, 0xad, 0x06, 0, 0, 0, 0, ...known])
    expect(decodePayload(unknown).seq).toBe(4)
    expect(decodePayload(unknown).valueAs(0, 'boolean')).toBe(true)
  })

  it('has no scalar for a data set or a template', () => {
    const bytes = new Uint8Array([0x12, 0x07, 0x0a, 0x01, 0x61, 0x8a, 0x01, 0x01, 0x00])
    expect(decodePayload(bytes).name(0)).toBe('a')
    expect(() => decodePayload(bytes).valueAs(0, 'int32')).toThrow(PayloadError)
  })

  it('throws one kind of error for garbage, and never hangs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => expectPayloadOrError(bytes)),
      { numRuns: 2000 },
    )
  })

  it('throws one kind of error for damaged payloads', () => {
    const damage = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), cut: fc.option(fc.nat()) })
    fc.assert(
      fc.property(payloadArb, damage, (payload, { at, byte, cut }) => {
        const bytes = encodePayload(payload)
        if (bytes.length > 0) bytes[at % bytes.length] = byte
        expectPayloadOrError(cut === null ? bytes : bytes.subarray(0, cut % (bytes.length + 1)))
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['int8', 300],
    ['uint8', -1],
    ['int32', 1.5],
    ['int64', 5],
    ['uint64', -1n],
    ['uint64', 2n ** 64n],
    ['boolean', 1],
    ['string', 4],
    ['datetime', -1],
    ['double', 1n],
  ] as const)('refuses to encode a value that is no %s: %s', (type, value) => {
    expect(() => encodePayload({ metrics: [{ type, value }] })).toThrow(RangeError)
  })
})

function expectPayloadOrError(bytes: Uint8Array): void {
  const types = Object.keys(VALUES) as SparkplugType[]
  const attempt = (run: () => unknown) => {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error
      return undefined
    }
  }
  const payload = attempt(() => decodePayload(bytes)) as ReturnType<typeof decodePayload> | undefined
  for (let i = 0; payload && i < payload.count; i++) for (const type of types) attempt(() => payload.valueAs(i, type))
}

describe('the table of types', () => {
  it('has one number for each type, as the specification lists them', () => {
    for (const type of Object.keys(VALUES) as SparkplugType[]) expect(typeOfCode(codeOfType(type))).toBe(type)
    expect([codeOfType('int8'), codeOfType('uint64'), codeOfType('datetime'), codeOfType('bytes')]).toEqual([
      1, 8, 13, 17,
    ])
  })
})
