import fc from 'fast-check'
import type { ArrayType, DataType, SparkplugType } from '#shared/sparkplug/datatype.ts'
import type {
  ArrayValue,
  DataSet,
  MetaData,
  MetricValue,
  OutgoingMetric,
  OutgoingPayload,
  OutgoingTemplate,
  Property,
  PropertySet,
} from '#shared/sparkplug/payload.ts'

/** Payloads of every type of Sparkplug 3.0, as a caller gives them to the encoder. */

const word = fc.string({ unit: 'grapheme', maxLength: 12 })
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })

const SCALARS: Readonly<Record<SparkplugType, fc.Arbitrary<MetricValue>>> = {
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32768, max: 32767 }),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  int64,
  uint8: fc.integer({ min: 0, max: 255 }),
  uint16: fc.integer({ min: 0, max: 65535 }),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  uint64,
  float: fc.float(),
  double: fc.double(),
  boolean: fc.boolean(),
  string: word,
  datetime: fc.maxSafeNat(),
  text: fc.string({ unit: 'grapheme', maxLength: 300 }),
  uuid: fc.uuid(),
  bytes: fc.uint8Array(),
}

const size = { maxLength: 6 }
const ARRAYS: Readonly<Record<ArrayType, fc.Arbitrary<ArrayValue>>> = {
  int8array: fc.int8Array(size),
  int16array: fc.int16Array(size),
  int32array: fc.int32Array(size),
  int64array: fc.bigInt64Array(size),
  uint8array: fc.uint8Array(size).map((bytes) => Uint8Array.from(bytes)),
  uint16array: fc.uint16Array(size),
  uint32array: fc.uint32Array(size),
  uint64array: fc.bigUint64Array(size),
  floatarray: fc.float32Array(size),
  doublearray: fc.float64Array(size),
  booleanarray: fc.array(fc.boolean(), { maxLength: 20 }),
  stringarray: fc.array(
    word.map((text) => text.replaceAll('\0', '')),
    size,
  ),
  datetimearray: fc.array(fc.maxSafeNat(), size),
}

const cellTypeArb = fc.constantFrom(...(Object.keys(SCALARS) as SparkplugType[]).filter((type) => type !== 'bytes'))
const orNull = <T>(arb: fc.Arbitrary<T>) => fc.option(arb, { freq: 8 })

const dataSetArb: fc.Arbitrary<DataSet> = fc.array(fc.tuple(word, cellTypeArb), { maxLength: 4 }).chain((columns) =>
  fc.record({
    columns: fc.constant(columns.map(([name]) => name)),
    types: fc.constant(columns.map(([, type]) => type)),
    rows: fc.array(fc.tuple(...columns.map(([, type]) => orNull(SCALARS[type]))), { maxLength: 4 }),
  }),
)

const propertySetArb = (depth: number): fc.Arbitrary<PropertySet> =>
  fc.array(fc.tuple(word, propertyArb(depth)), { maxLength: 3 }).map((entries) => new Map(entries))

const propertyArb = (depth: number): fc.Arbitrary<Property> => {
  const scalar = cellTypeArb.chain((type) => orNull(SCALARS[type]).map((value) => ({ type, value })))
  if (depth === 0) return scalar
  return fc.oneof(
    { weight: 4, arbitrary: scalar },
    {
      weight: 1,
      arbitrary: orNull(propertySetArb(depth - 1)).map((value) => ({ type: 'propertyset' as const, value })),
    },
    {
      weight: 1,
      arbitrary: orNull(fc.array(propertySetArb(depth - 1), { maxLength: 3 })).map((value) => ({
        type: 'propertysetlist' as const,
        value,
      })),
    },
  )
}

const metaDataArb: fc.Arbitrary<MetaData> = fc.record(
  {
    isMultiPart: fc.boolean(),
    contentType: word,
    size: uint64,
    seq: uint64,
    fileName: word,
    fileType: word,
    md5: word,
    description: word,
  },
  { requiredKeys: [] },
)

const templateArb = (depth: number): fc.Arbitrary<OutgoingTemplate> =>
  fc.record(
    {
      version: word,
      templateRef: word,
      isDefinition: fc.boolean(),
      parameters: fc.array(
        cellTypeArb.chain((type) => fc.record({ name: word, type: fc.constant(type), value: orNull(SCALARS[type]) })),
        { maxLength: 3 },
      ),
      metrics: fc.array(metricArb(depth - 1), { maxLength: 3 }),
    },
    { requiredKeys: ['isDefinition', 'parameters', 'metrics'] },
  )

const rareArb = (depth: number): fc.Arbitrary<Pick<OutgoingMetric, 'type' | 'value'>> => {
  const arrays = (Object.keys(ARRAYS) as ArrayType[]).map((type) => ARRAYS[type].map((value) => ({ type, value })))
  const others = [
    dataSetArb.map((value) => ({ type: 'dataset' as const, value })),
    fc.uint8Array(size).map((value) => ({ type: 'file' as const, value })),
    ...(depth > 0 ? [templateArb(depth).map((value) => ({ type: 'template' as const, value }))] : []),
  ]
  return fc.oneof(fc.oneof(...arrays), fc.oneof(...others))
}

const scalarArb = fc
  .constantFrom(...(Object.keys(SCALARS) as SparkplugType[]))
  .chain((type) => orNull(SCALARS[type]).map((value) => ({ type, value })))

const metricArb = (depth: number): fc.Arbitrary<OutgoingMetric> =>
  fc
    .tuple(
      fc.oneof(scalarArb, rareArb(depth)),
      fc.record(
        {
          name: word,
          alias: fc.oneof(fc.maxSafeNat(), fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n })),
          timestamp: fc.maxSafeNat(),
          isTyped: fc.constant(true),
          isHistorical: fc.constant(true),
          isTransient: fc.constant(true),
          properties: fc
            .array(fc.tuple(keyArb, propertyArb(2)), { maxLength: 3 })
            .map((all) => Object.fromEntries(all)),
          metadata: metaDataArb,
        },
        { requiredKeys: [] },
      ),
    )
    .map(([value, rest]) => ({ ...rest, ...value }))

const keyArb = word.filter((key) => key !== '__proto__')

/** Whole payloads, templates in templates up to three deep. */
export const modelArb: fc.Arbitrary<OutgoingPayload> = fc.record(
  {
    timestamp: fc.maxSafeNat(),
    seq: fc.integer({ min: 0, max: 255 }),
    uuid: word,
    metrics: fc.array(metricArb(3), { maxLength: 6 }),
  },
  { requiredKeys: ['metrics'] },
)

/** Every type that a metric can have. */
export const METRIC_TYPES: readonly DataType[] = [
  ...(Object.keys(SCALARS) as SparkplugType[]),
  ...(Object.keys(ARRAYS) as ArrayType[]),
  'dataset',
  'file',
  'template',
]
