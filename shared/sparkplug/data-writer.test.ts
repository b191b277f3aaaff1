import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DataWriter, isNumberType, type NumberType } from './data-writer.ts'
import { encodePayload, type OutgoingMetric } from './payload.ts'

const int = (low: number, high: number) => fc.integer({ min: low, max: high })
const NUMBERS: Readonly<Record<NumberType, fc.Arbitrary<number>>> = {
  int8: int(-128, 127),
  int16: int(-32768, 32767),
  int32: int(-(2 ** 31), 2 ** 31 - 1),
  uint8: int(0, 255),
  uint16: int(0, 65535),
  uint32: int(0, 2 ** 32 - 1),
  float: fc.float(),
  double: fc.double(),
  boolean: int(0, 1),
  datetime: fc.maxSafeNat(),
}
const timeArb = fc.oneof(
  fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 }),
  fc.constantFrom(0, 127, 128, 2 ** 35 - 1, 2 ** 35, 2 ** 42 - 1, 2 ** 42, Number.MAX_SAFE_INTEGER),
)
const aliasArb = fc.oneof(fc.nat({ max: 20_000 }), fc.maxSafeNat())

/** A metric as each of the two writes it. */
interface Written {
  readonly outgoing: OutgoingMetric
  readonly write: (writer: DataWriter) => void
}

const numberArb: fc.Arbitrary<Written> = fc
  .tuple(aliasArb, timeArb, fc.constantFrom(...(Object.keys(NUMBERS) as NumberType[])))
  .chain(([alias, timestamp, type]) =>
    NUMBERS[type].map((value) => ({
      outgoing: { alias, timestamp, type, value: type === 'boolean' ? value === 1 : value },
      write: (writer: DataWriter) => writer.number(alias, timestamp, value, type),
    })),
  )

const offsetArb: fc.Arbitrary<Written> = fc
  .tuple(aliasArb, timeArb, fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 999n })))
  .map(([alias, timestamp, value]) => ({
    outgoing: { alias, timestamp, type: 'uint64', value, isTransient: true },
    write: (writer) => writer.offset(alias, timestamp, value),
  }))

const otherArb: fc.Arbitrary<OutgoingMetric> = fc.oneof(
  fc.record({ alias: aliasArb, type: fc.constant('string' as const), value: fc.string({ maxLength: 9000 }) }),
  fc.record({ alias: aliasArb, type: fc.constant('double' as const), value: fc.constant(null) }),
)

const writtenArb = (isHistorical: boolean) =>
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: numberArb },
      { weight: 1, arbitrary: offsetArb },
      {
        weight: 1,
        arbitrary: otherArb.map((metric) => {
          const outgoing = { ...metric, isHistorical }
          return { outgoing, write: (writer: DataWriter) => writer.metric(outgoing) }
        }),
      },
    ),
    { maxLength: 150 },
  )

/** One writer for all: what an earlier payload left must not show. */
const writer = new DataWriter()

describe('the writer of data', () => {
  it('writes byte for byte what the encoder of objects does', () => {
    const payloadArb = fc
      .boolean()
      .chain((isHistorical) => fc.tuple(fc.constant(isHistorical), writtenArb(isHistorical)))
    fc.assert(
      fc.property(payloadArb, timeArb, int(0, 255), ([isHistorical, written], timestamp, seq) => {
        writer.begin(timestamp, seq, isHistorical)
        for (const { write } of written) write(writer)
        const metrics = written.map(({ outgoing }) => ({ ...outgoing, isHistorical }))
        expect(Buffer.compare(writer.end(), encodePayload({ timestamp, seq, metrics }))).toBe(0)
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['int8', 128],
    ['uint8', -1],
    ['int32', 1.5],
    ['boolean', 2],
    ['datetime', -1],
    ['uint32', Number.NaN],
  ] as const)('refuses a value that is no %s: %s', (type, value) => {
    writer.begin(0, 0)
    expect(() => writer.number(1, 0, value, type)).toThrow(RangeError)
  })

  it.each([-1, 0.5, 2 ** 53])('refuses %s as alias and as time', (wrong) => {
    writer.begin(0, 0)
    expect(() => writer.number(wrong, 0, 1, 'double')).toThrow(RangeError)
    expect(() => writer.number(1, wrong, 1, 'double')).toThrow(RangeError)
  })

  it('knows which types a number holds', () => {
    const types = ['int8', 'uint32', 'float', 'double', 'boolean', 'datetime', 'int64', 'uint64', 'string'] as const
    expect(types.filter(isNumberType)).toEqual(types.slice(0, 6))
  })
})
