import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { COUNT, FIRST, LAST, LAST_IN, MAX, MAX_IN, MIN, MIN_IN, NUMBERS_IN, QUALITY, RollUps, SUM } from './roll-up.ts'
import { type Columns, TAG, TS } from './schema.ts'

const HOUR = 3_600_000

interface Value {
  readonly tag: number
  readonly at: number
  readonly v: number
  readonly q: number
}

const value: fc.Arbitrary<Value> = fc.record({
  tag: fc.integer({ min: 1, max: 3 }),
  at: fc.integer({ min: -2 * HOUR, max: 3 * HOUR }),
  // Whole numbers, so that a sum does not depend on its order.
  v: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: -50, max: 50 }) }, fc.constant(Number.NaN)),
  q: fc.constantFrom(192, 192, 192, 64, 0),
})
/** One value a tag and time, as history has them. */
const values = fc.uniqueArray(value, { maxLength: 200, selector: ({ tag, at }) => `${tag}/${at}` })

const columnsOf = (rows: readonly Value[]): Columns => [
  Int32Array.from(rows, (row) => row.tag),
  Float64Array.from(rows, (row) => row.at),
  Float64Array.from(rows, (row) => row.v),
  Uint8Array.from(rows, (row) => row.q),
]

/** What a bucket is, said plainly. */
function plainly(rows: readonly Value[], widthMs: number) {
  const groups = Map.groupBy(rows, (row) => `${row.tag}/${Math.floor(row.at / widthMs)}`)
  const buckets = [...groups.values()].map((group) => {
    const own = group.toSorted((a, b) => a.at - b.at)
    const start = Math.floor((own[0]?.at ?? 0) / widthMs) * widthMs
    const numbers = own.filter((row) => !Number.isNaN(row.v))
    const [min, max] = [Math.min(...numbers.map((row) => row.v)), Math.max(...numbers.map((row) => row.v))]
    const has = numbers.length > 0
    return {
      ...{ tag: own[0]?.tag, start, count: own.length, numbers: numbers.length },
      ...{ first: has ? numbers[0]?.v : Number.NaN, last: has ? numbers.at(-1)?.v : Number.NaN },
      ...{ min: has ? min : Number.NaN, max: has ? max : Number.NaN },
      minIn: has ? (numbers.find((row) => row.v === min)?.at ?? 0) - start : 0,
      maxIn: has ? (numbers.find((row) => row.v === max)?.at ?? 0) - start : 0,
      sum: numbers.reduce((sum, row) => sum + row.v, 0),
      quality: Math.min(...own.map((row) => row.q)),
      lastIn: (own.at(-1)?.at ?? 0) - start,
    }
  })
  return buckets.toSorted((a, b) => (a.tag ?? 0) - (b.tag ?? 0) || a.start - b.start)
}

function told(columns: Columns) {
  const at = (index: number, row: number) => columns[index]?.[row]
  return Array.from(columns[TAG] ?? [], (tag, row) => ({
    ...{ tag, start: at(TS, row), count: at(COUNT, row), numbers: at(NUMBERS_IN, row) },
    ...{ first: at(FIRST, row), last: at(LAST, row), min: at(MIN, row), max: at(MAX, row) },
    ...{ minIn: at(MIN_IN, row), maxIn: at(MAX_IN, row), sum: at(SUM, row) },
    ...{ quality: at(QUALITY, row), lastIn: at(LAST_IN, row) },
  }))
}

function rolledUp(parts: readonly (readonly Value[])[], widthMs: number): RollUps {
  const rollUps = new RollUps({ widthMs, origin: 0 })
  for (const part of parts) rollUps.addValues(columnsOf(part), 0, part.length)
  return rollUps
}

describe('a roll-up', () => {
  it('tells of every bucket what the values say, in whatever order they come', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(60_000, HOUR, 7777), (rows, widthMs) => {
        expect(told(rolledUp([rows], widthMs).finish())).toEqual(plainly(rows, widthMs))
      }),
    )
  })

  it('made of minutes is the same as made of values', () => {
    fc.assert(
      fc.property(values, values, (rows, late) => {
        const known = new Set(rows.map(({ tag, at }) => `${tag}/${at}`))
        const rest = late.filter(({ tag, at }) => !known.has(`${tag}/${at}`))
        const hours = new RollUps({ widthMs: HOUR, origin: 0 })
        for (const part of [rows, rest]) {
          const minutes = rolledUp([part], 60_000).finish()
          hours.addRows(minutes, 0, minutes[TAG]?.length ?? 0)
        }
        expect(told(hours.finish())).toEqual(plainly([...rows, ...rest], HOUR))
      }),
    )
  })
})
