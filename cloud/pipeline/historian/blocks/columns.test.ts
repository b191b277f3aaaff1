import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ByteSink } from './byte-sink.ts'
import { decodeDeltas, encodeDeltas } from './delta.ts'
import { ColumnEncoder, decodeDoubles, UNCOMPRESSED, ZSTD } from './pages.ts'
import { openBlock } from './reader.ts'
import { type Columns, NUMBERS } from './schema.ts'
import { NumberSorter } from './sort.ts'
import { createBlock } from './writer.ts'

const wholes = (max: number) =>
  fc.array(
    fc.maxSafeInteger().map((n) => n % max),
    { maxLength: 700 },
  )

/** Runs, few values and many values, as columns have them. */
const doubles = fc
  .array(fc.tuple(fc.double(), fc.integer({ min: 1, max: 60 })), { maxLength: 300 })
  .map((runs) => Float64Array.from(runs.flatMap(([value, times]) => new Array<number>(times).fill(value))))

describe('a column of whole numbers', () => {
  it('comes back as it was, whatever its steps', () => {
    fc.assert(
      fc.property(fc.oneof(wholes(10), wholes(2 ** 31), wholes(2 ** 50)), (values) => {
        const sink = new ByteSink(8)
        encodeDeltas(Float64Array.from(values), values.length, sink)
        const back = new Float64Array(values.length)
        decodeDeltas(sink.written, back)
        expect([...back]).toEqual(values.map((value) => value + 0))
      }),
    )
  })
})

describe('a column of doubles', () => {
  it('comes back bit for bit, NaN, −0 and infinities too', () => {
    const encoder = new ColumnEncoder()
    fc.assert(
      fc.property(doubles, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const { bytes, codec } = encoder.encode('double', values)
        const bitsOf = (column: Float64Array) => new Uint32Array(column.slice().buffer)
        const all = decodeDoubles(bytes, codec, { from: 0, to: values.length })
        expect(bitsOf(all)).toEqual(bitsOf(values))
        const [from, to] = [Math.floor(values.length / 3), Math.floor(values.length * share)].sort((a, b) => a - b)
        const some = decodeDoubles(bytes, codec, { from: from ?? 0, to: to ?? 0 })
        expect(bitsOf(some)).toEqual(bitsOf(values.subarray(from, to)))
      }),
    )
  })

  it.each([false, true])(
    'comes back when every value differs, also from a file that is soon merged (%s)',
    (isBrief) => {
      const values = Float64Array.from({ length: 65_536 }, (_, i) => Math.sin(i))
      const { bytes, codec } = new ColumnEncoder(isBrief).encode('double', values)
      expect(codec).toBe(isBrief ? UNCOMPRESSED : ZSTD)
      expect(decodeDoubles(bytes, codec, { from: 0, to: values.length })).toEqual(values)
      expect(decodeDoubles(bytes, codec, { from: 777, to: 778 })).toEqual(values.subarray(777, 778))
    },
  )
})

describe('a block file', () => {
  let dir: string

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'andon-block-'))
  })

  afterAll(() => rmSync(dir, { recursive: true }))

  const written = () => {
    const count = 20_000
    const [tag, ts, v, q] = [
      new Int32Array(count),
      new Float64Array(count),
      new Float64Array(count),
      new Uint8Array(count),
    ]
    for (let i = 0; i < count; i++) {
      tag[i] = 1 + (i % 7)
      ts[i] = 1.7e12 + i * 250 + (i % 3)
      v[i] = [Math.round(Math.sin(i) * 1e4) / 100, Math.sin(i), i % 2, Number.NaN][i % 4] ?? 0
      q[i] = i % 1000 === 0 ? 0 : 192
    }
    const columns = new NumberSorter().sort({ count, tag, ts, v, q }).map((column) => column.slice())
    const writer = createBlock({ path: join(dir, 'a.parquet'), schema: NUMBERS, groupRows: 4096 })
    for (let from = 0; from < count; from += 3000) writer.add(columns, from, Math.min(count, from + 3000))
    const block = writer.finish()
    if (!block) throw new Error('The block is empty')
    return { block, columns, count }
  }

  it('gives its rows back, in groups that tell their bounds', () => {
    const { block, columns, count } = written()
    const open = openBlock({ ...block, path: join(dir, 'a.parquet') }, NUMBERS)
    const groups = Array.from({ length: open.groups }, (_, index) => open.group(index))
    const read = groups.map((group) => group.load().columns())
    const joined = (parts: readonly Columns[], column: number) => parts.flatMap((part) => [...(part[column] ?? [])])
    for (let column = 0; column < 4; column++) expect(joined(read, column)).toEqual([...(columns[column] ?? [])])
    expect(groups.reduce((sum, group) => sum + group.rows, 0)).toBe(count)
    expect(groups.map((group) => group.firstTag)).toEqual(read.map((part) => part[0]?.[0]))
    expect(block).toMatchObject({ rows: count, firstAt: 1.7e12, groups: groups.length })
    open.close()
  })

  it('is Parquet that DuckDB reads to the same values', async () => {
    const { columns } = written()
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    const result = await connection.run(
      `SELECT tag, ts::DOUBLE, v, q FROM '${join(dir, 'a.parquet')}' WHERE tag = 3 AND ts >= 1700000001000 ORDER BY ts`,
    )
    const rows = await result.getRows()
    const [tag, ts, v, q] = columns as [Int32Array, Float64Array, Float64Array, Uint8Array]
    const own = [...tag.keys()].filter((i) => tag[i] === 3 && (ts[i] ?? 0) >= 1700000001000)
    expect(rows).toEqual(own.map((i) => [3, ts[i], v[i], q[i]]))
    expect(rows.length).toBeGreaterThan(2000)
    connection.closeSync()
    instance.closeSync()
  })
})
