import fc from 'fast-check'

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

/** Aliases that the tables of these tests know, those of the offset metrics, and some that nobody announced. */
export const ALIASES = [1, 2, 3, 127, 128, 300, 16383, 16384, 70000, 2 ** 21, 2 ** 32 + 1, 2 ** 53 - 1] as const
export const FIRST_ALIAS = 50
export const LAST_ALIAS = 51
const aliasArb = fc.oneof(
  { weight: 40, arbitrary: fc.constantFrom(...ALIASES).map(BigInt) },
  { weight: 1, arbitrary: fc.constantFrom(9n, 50n, 51n, 2n ** 53n, 2n ** 64n - 1n) },
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

const valueArb: fc.Arbitrary<number[]> = fc.oneof(
  wordArb.map((value) => integer(10, value)),
  wordArb.map((value) => integer(11, value)),
  fc.float().map((value) => field(12, 5, float(value))),
  fc.double().map((value) => field(13, 1, double(value))),
  fc.oneof(fc.boolean().map(Number), fc.constant(7)).map((value) => integer(14, value)),
  fc.string({ unit: 'grapheme', maxLength: 40 }).map((value) => text(15, value)),
)

const rareValueArb = fc.oneof(
  fc.uint8Array({ maxLength: 8 }).map((bytes) => field(16, 2, [...bytes])),
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

const metricArb: fc.Arbitrary<number[]> = fc
  .tuple(
    aliasArb.map((alias) => integer(2, alias)),
    fc.oneof(
      { weight: 8, arbitrary: timeArb.map((at) => [integer(3, at)]) },
      { weight: 1, arbitrary: fc.constant([] as number[][]) },
    ),
    mostly(extraArb, 3),
    fc.oneof(
      { weight: 12, arbitrary: valueArb.map((value) => [value]) },
      { weight: 1, arbitrary: fc.array(valueArb, { maxLength: 3 }) },
    ),
    fc.boolean(),
  )
  .chain(([alias, time, extra, values, isInOrder]) => {
    const fields = [alias, ...time, ...extra, ...values]
    return isInOrder ? fc.constant(fields) : shuffled(fields)
  })
  .map((fields) => field(2, 2, fields.flat()))

const offsetsArb = (samples: number): fc.Arbitrary<number[][]> => {
  const pair = (first: bigint, last: bigint) =>
    [
      [FIRST_ALIAS, first],
      [LAST_ALIAS, last],
    ].map(([alias, value]) =>
      field(2, 2, [...integer(2, alias as number), ...integer(3, 9), ...integer(11, value as bigint)]),
    )
  return fc.oneof(
    {
      weight: 6,
      arbitrary: fc.bigInt({ min: 1n, max: 2n ** 63n }).map((first) => pair(first, first + BigInt(samples) - 1n)),
    },
    { weight: 6, arbitrary: fc.constant([] as number[][]) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        pair(0n, 4n),
        pair(5n, 4n),
        pair(5n, 5n),
        pair(1n, 2n).reverse(),
        pair(1n, 1n).slice(1),
      ),
    },
  )
}

/** Whole payloads of data, as bytes. */
export const dataBytesArb: fc.Arbitrary<Uint8Array> = fc
  .array(metricArb, { maxLength: 12 })
  .chain((metrics) => fc.tuple(fc.constant(metrics), offsetsArb(metrics.length), mostly(timeArb, 2), fc.boolean()))
  .chain(([metrics, offsets, stray, isInOrder]) => {
    const head = [integer(1, 1_800_000_000_000n), ...stray.map((at) => integer(1, at))]
    const tail = [integer(3, 7), ...stray.map(() => text(4, 'ü'))]
    const body = [...metrics, ...offsets]
    if (isInOrder) return fc.constant([...head, ...body, ...tail])
    return fc
      .tuple(shuffled([...head, ...tail]), fc.nat({ max: body.length }))
      .map(([rest, at]) => [...body.slice(0, at), ...rest, ...body.slice(at)])
  })
  .map((fields) => Uint8Array.from(fields.flat()))

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
