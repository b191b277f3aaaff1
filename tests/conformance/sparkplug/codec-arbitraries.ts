import fc from 'fast-check'
import type { SparkplugType } from '#shared/sparkplug/datatype.ts'

/** Payloads put together byte by byte, with what no proper encoder would write, for tests of the codec. */

export const varint = (value: bigint): number[] => {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return [...bytes, Number(rest)]
}

export const field = (number: number, wire: 0 | 1 | 2 | 5, content: readonly number[]): number[] => [
  ...varint(BigInt(number * 8 + wire)),
  ...(wire === 2 ? varint(BigInt(content.length)) : []),
  ...content,
]

const integer = (number: number, value: bigint | number) => field(number, 0, varint(BigInt(value)))
const text = (number: number, value: string) => field(number, 2, [...new TextEncoder().encode(value)])

function double(value: number): number[] {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value, true)
  return [...bytes]
}

function float(value: number): number[] {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setFloat32(0, value, true)
  return [...bytes]
}

/** Aliases as edges give them out: small ones, some that begin anywhere, and some that lie far apart. */
const FAMILIES = [
  [1, 2, 3, 9, 127, 128, 300, 512],
  [16380, 16381, 16383, 16384, 16385, 16400, 16500, 17000],
  [1, 50_000, 70_000, 2 ** 21, 2 ** 28, 2 ** 32 + 1, 2 ** 53 - 2, 2 ** 53 - 1],
] as const
export const FIRST_ALIAS = 50
export const LAST_ALIAS = 51

/** A birth: which type each alias has, and whether the edge has a journal. */
export interface Birth {
  readonly types: ReadonlyMap<number, SparkplugType>
  readonly hasOffsets: boolean
}

/** Types of data, those that are common twice. */
const TYPES: readonly SparkplugType[] = [
  ...(['double', 'float', 'boolean', 'int32', 'uint16'] as const),
  ...(['double', 'float', 'boolean', 'int32', 'uint16', 'int8', 'uint8', 'int16', 'uint32'] as const),
  ...(['int64', 'uint64', 'string', 'datetime', 'text', 'uuid', 'bytes'] as const),
]

export const birthArb: fc.Arbitrary<Birth> = fc
  .tuple(
    fc.constantFrom(...FAMILIES),
    fc.array(fc.constantFrom(...TYPES), { minLength: 8, maxLength: 8 }),
    fc.boolean(),
  )
  .map(([aliases, types, hasOffsets]) => ({
    types: new Map(aliases.map((alias, i) => [alias, types[i] as SparkplugType])),
    hasOffsets,
  }))

const aliasArb = ({ types }: Birth): fc.Arbitrary<bigint> =>
  fc.oneof(
    { weight: 60, arbitrary: fc.constantFrom(...types.keys()).map(BigInt) },
    { weight: 1, arbitrary: fc.constantFrom(10n, 50n, 51n, 2n ** 53n, 2n ** 64n - 1n) },
  )

const timeArb = fc.oneof(
  { weight: 10, arbitrary: fc.bigInt({ min: 1_600_000_000_000n, max: 1_900_000_000_000n }) },
  { weight: 2, arbitrary: fc.constantFrom(0n, 5n, 2n ** 35n, 2n ** 42n - 1n, 2n ** 42n, 2n ** 53n - 1n) },
  { weight: 1, arbitrary: fc.constantFrom(2n ** 53n, 2n ** 63n, 2n ** 64n - 1n) },
)

const wordArb = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }),
  fc.bigInt({ min: 0n, max: 200n }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
)

const intArb = wordArb.map((value) => integer(10, value))
const longArb = wordArb.map((value) => integer(11, value))
const floatArb = fc.float().map((value) => field(12, 5, float(value)))
const doubleArb = fc.double().map((value) => field(13, 1, double(value)))
const booleanArb = fc.constantFrom(0, 1, 0, 1, 7).map((value) => integer(14, value))
const stringArb = fc.string({ unit: 'grapheme', maxLength: 40 }).map((value) => text(15, value))
const bytesArb = fc.uint8Array({ maxLength: 8 }).map((bytes) => field(16, 2, [...bytes]))
const anyValueArb = fc.oneof(intArb, longArb, floatArb, doubleArb, booleanArb, stringArb, bytesArb)

/** The field that a value of a type has. */
function fittingArb(type: SparkplugType | undefined): fc.Arbitrary<number[]> {
  if (type === undefined) return anyValueArb
  if (type === 'double') return doubleArb
  if (type === 'float') return floatArb
  if (type === 'boolean') return booleanArb
  if (type === 'bytes') return bytesArb
  if (type === 'int64' || type === 'uint64' || type === 'datetime') return longArb
  return type === 'string' || type === 'text' || type === 'uuid' ? stringArb : intArb
}

const valueArb = (type: SparkplugType | undefined) =>
  fc.oneof({ weight: 12, arbitrary: fittingArb(type) }, { weight: 1, arbitrary: anyValueArb })

const rareValueArb = fc.oneof(
  bytesArb,
  fc.uint8Array({ maxLength: 8 }).map((bytes) => field(17, 2, [...bytes])),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => field(18, 2, [...bytes])),
)

const int32Property = (value: number) => [...integer(1, 3), ...integer(3, value)]
const propertySet = (...entries: readonly (readonly [string, readonly number[]])[]) =>
  field(9, 2, [...entries.flatMap(([key]) => text(1, key)), ...entries.flatMap(([, value]) => field(2, 2, value))])

const qualityArb = fc.constantFrom(
  propertySet(['Quality', int32Property(192)]),
  propertySet(['Quality', int32Property(0)]),
  propertySet(['Quality', int32Property(0)], ['Andon Quality', int32Property(64)]),
  propertySet(['Andon Quality', int32Property(64)], ['Quality', int32Property(0)]),
  propertySet(['Andon Quality', int32Property(64)]),
  propertySet(['Quality', int32Property(0)], ['Andon Quality', int32Property(3)]),
)

const rarePropertyArb = fc.constantFrom(
  propertySet(),
  propertySet(['Quality', int32Property(500)]),
  propertySet(['Quality', int32Property(-1 >>> 0)]),
  propertySet(['Quality', int32Property(0)], ['Quality', int32Property(192)]),
  propertySet(['Quality', [...integer(1, 4), ...integer(4, 192)]]),
  propertySet(['Quality', [...integer(1, 3), ...integer(2, 1)]]),
  propertySet(['Quality', integer(3, 192)]),
  propertySet(['engUnit', [...integer(1, 12), ...text(8, 'kW')]]),
  propertySet(['Andon Offset', [...integer(1, 8), ...integer(4, 7)]]),
  field(9, 2, text(1, 'Quality')),
  field(9, 2, [...field(2, 2, int32Property(0)), ...text(1, 'Quality')]),
)

/** Fields that a data metric may have beside alias, time and value. */
const extraArb = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 1, 1, 2).map((value) => integer(5, value)) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1).map((value) => integer(6, value)) },
  { weight: 4, arbitrary: fc.constantFrom(0, 1, 1).map((value) => integer(7, value)) },
  { weight: 2, arbitrary: fc.nat({ max: 40 }).map((value) => integer(4, value)) },
  { weight: 6, arbitrary: qualityArb },
  { weight: 1, arbitrary: rarePropertyArb },
  { weight: 1, arbitrary: rareValueArb },
  {
    weight: 1,
    arbitrary: fc.constantFrom('Andon/First Offset', 'Andon/Last Offset', 'a').map((name) => text(1, name)),
  },
  { weight: 1, arbitrary: fc.constant(field(8, 2, text(5, 'a.txt'))) },
  { weight: 1, arbitrary: fc.constantFrom(integer(40, 5), field(10, 2, [1]), field(2, 5, [0, 0, 0, 0])) },
)

/** Few of a kind in most payloads, so that what is rare does not hide the rest. */
const mostly = <T>(arb: fc.Arbitrary<T>, max: number) =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constant([] as T[]) },
    { weight: 2, arbitrary: fc.array(arb, { maxLength: max }) },
  )

const shuffled = <T>(fields: readonly T[]) => fc.shuffledSubarray([...fields], { minLength: fields.length })

const some = (arb: fc.Arbitrary<number[]>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: arb })

/** A metric as encoders write it: fields by their numbers, a null without a value. */
const orderlyArb = (birth: Birth): fc.Arbitrary<number[]> =>
  aliasArb(birth)
    .chain((alias) =>
      fc.tuple(
        fc.constant(integer(2, alias)),
        timeArb.map((at) => integer(3, at)),
        some(fc.constantFrom(integer(4, 9), integer(4, 300))),
        some(fc.constant(integer(5, 1))),
        some(fc.constant(integer(7, 1))),
        some(fc.oneof(qualityArb, qualityArb, rarePropertyArb)),
        valueArb(birth.types.get(Number(alias))),
      ),
    )
    .map(([alias, time, datatype, historical, isNull, properties, value]) =>
      field(2, 2, [alias, time, datatype, historical, isNull, properties, isNull.length > 0 ? [] : value].flat()),
    )

const metricArb = (birth: Birth): fc.Arbitrary<number[]> => fc.oneof(orderlyArb(birth), wildArb(birth))

const wildArb = (birth: Birth): fc.Arbitrary<number[]> =>
  aliasArb(birth)
    .chain((alias) =>
      fc.tuple(
        fc.constant(integer(2, alias)),
        fc.oneof(
          { weight: 8, arbitrary: timeArb.map((at) => [integer(3, at)]) },
          { weight: 1, arbitrary: fc.constant([] as number[][]) },
        ),
        mostly(extraArb, 3),
        fc.oneof(
          { weight: 12, arbitrary: valueArb(birth.types.get(Number(alias))).map((value) => [value]) },
          { weight: 1, arbitrary: fc.array(anyValueArb, { maxLength: 3 }) },
        ),
        fc.constantFrom(true, true, false),
      ),
    )
    .chain(([alias, time, extra, values, isInOrder]) => {
      const fields = [alias, ...time, ...extra, ...values]
      return isInOrder ? fc.constant(fields) : shuffled(fields)
    })
    .map((fields) => field(2, 2, fields.flat()))

const offset = (alias: number, value: bigint, rest: readonly number[] = []) =>
  field(2, 2, [...integer(2, alias), ...integer(3, 9), ...rest, ...integer(11, value)])
const pair = (first: bigint, last: bigint) => [offset(FIRST_ALIAS, first), offset(LAST_ALIAS, last)]

/** Samples with their offsets after them, as they must be, without, or with the faults that a payload can have there. */
function withOffsets(samples: readonly number[][], first: bigint): fc.Arbitrary<number[][]> {
  const last = first + BigInt(samples.length) - 1n
  const good = pair(first, last)
  const faults: number[][][] = [
    [...samples, ...pair(0n, BigInt(samples.length) - 1n)],
    [...samples, ...pair(first, last + 1n)],
    [...samples, ...pair(first, last - 1n)],
    [...samples, ...good.toReversed()],
    [...samples, ...good.slice(1)],
    [...samples, ...good.slice(0, 1)],
    [...samples, ...good, ...good.slice(1)],
    [...good, ...samples],
    [...samples.slice(0, -1), ...good, ...samples.slice(-1)],
    [...samples, offset(FIRST_ALIAS, first, integer(7, 1)), ...good.slice(1)],
    [...samples, ...good.slice(0, 1), field(2, 2, integer(2, LAST_ALIAS))],
  ]
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant<number[][]>([...samples, ...good]) },
    { weight: 6, arbitrary: fc.constant<number[][]>([...samples]) },
    { weight: 3, arbitrary: fc.constantFrom(...faults) },
  )
}

/** Whole payloads of data for a birth, as bytes. */
export const dataBytesArb = (birth: Birth): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(fc.array(metricArb(birth), { maxLength: 12 }), fc.bigInt({ min: 1n, max: 2n ** 63n }))
    .chain(([samples, first]) => fc.tuple(withOffsets(samples, first), mostly(timeArb, 2), fc.boolean()))
    .chain(([body, stray, isInOrder]) => {
      const head = [integer(1, 1_800_000_000_000n), ...stray.map((at) => integer(1, at))]
      const tail = [integer(3, 7), ...stray.map(() => text(4, 'ü'))]
      if (isInOrder) return fc.constant([...head, ...body, ...tail])
      return fc
        .tuple(shuffled([...head, ...tail]), fc.nat({ max: body.length }))
        .map(([rest, at]) => [...body.slice(0, at), ...rest, ...body.slice(at)])
    })
    .map((fields) => Uint8Array.from(fields.flat()))

/** A birth, and a payload of data that follows it. */
export const bornDataArb: fc.Arbitrary<readonly [Birth, Uint8Array]> = birthArb.chain((birth) =>
  fc.tuple(fc.constant(birth), dataBytesArb(birth)),
)

export interface Damage {
  readonly at: number
  readonly byte: number
  readonly kind: 'replace' | 'insert' | 'remove' | 'cut'
}

/** One fault of transmission. */
export const damageArb: fc.Arbitrary<Damage> = fc.record({
  at: fc.nat(),
  byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x12, 0x10, 0x18, 0x80, 0xff)),
  kind: fc.constantFrom('replace', 'replace', 'insert', 'remove', 'cut'),
})

export function damaged(bytes: Uint8Array, { at, byte, kind }: Damage): Uint8Array {
  const place = bytes.length === 0 ? 0 : at % bytes.length
  const rest = kind === 'insert' ? place : place + 1
  if (kind === 'cut') return bytes.slice(0, place)
  return Uint8Array.from([...bytes.slice(0, place), ...(kind === 'remove' ? [] : [byte]), ...bytes.slice(rest)])
}
