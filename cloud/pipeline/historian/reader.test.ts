import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GOOD, type Scalar, type ScalarType } from '#shared/contracts/sample.ts'
import { silentLog } from '#shared/log/log.ts'
import type { HistoryReader } from '../contract.ts'
import { BatchBuilder } from './batch.ts'
import { choosePoints } from './chosen-points.ts'
import { type DuckDbHistorian, openDuckDbHistorian } from './duckdb/client.ts'
import { type ExportPiece, exportRows } from './export.ts'
import { historyReader } from './reader.ts'

const AT = Date.UTC(2026, 0, 5)
const HOUR = 3_600_000
const DAY = 24 * HOUR
const TAGS: Readonly<Record<string, { readonly key: number; readonly type: ScalarType }>> = {
  'g/e/d/temperature': { key: 1, type: 'float' },
  'g/e/d/running': { key: 2, type: 'boolean' },
  'g/e/d/state, "now"': { key: 3, type: 'string' },
  'g/e/d/energy': { key: 4, type: 'uint64' },
}
const [TEMPERATURE, RUNNING, STATE, ENERGY] = Object.keys(TAGS) as [string, string, string, string]

let dir: string
let historian: DuckDbHistorian
let reader: HistoryReader

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'andon-reader-'))
  historian = await openDuckDbHistorian({ dir: join(dir, 'history'), log: silentLog })
  reader = historyReader({ historian, find: (path) => TAGS[path], gaps: async () => [], retention: async () => [] })
})

afterEach(async () => {
  await historian.close()
  rmSync(dir, { recursive: true })
})

async function commit(rows: Iterable<readonly [path: string, at: number, value: Scalar]>) {
  const batch = new BatchBuilder()
  let count = 0n
  for (const [path, at, value] of rows) {
    batch.add(TAGS[path]?.key ?? 0, at, value, GOOD)
    count += 1n
  }
  batch.addRange({ group: 'g', edge: 'e', epoch: 1n }, 1n, count)
  await historian.commit(batch.take())
}

const everyMinute = (days: number) =>
  Array.from({ length: days * 1440 }, (_, i) => [TEMPERATURE, AT + i * 60_000, i % 100] as const)

describe('history by path', () => {
  it('answers at most the points asked for, on whole minutes and hours where they are that wide', async () => {
    await commit(everyMinute(30))
    await historian.settle()
    const [month] = await reader.buckets({
      paths: [TEMPERATURE],
      from: AT + 777,
      to: AT + 30 * DAY + 777,
      points: 2000,
    })
    expect(month?.bucketMs).toBe(22 * 60_000)
    expect(month?.at.length).toBeLessThanOrEqual(2000)
    expect(month?.at[0]).toBe(AT + 777)
    expect([...(month?.at.subarray(1) ?? [])].every((at) => at % (22 * 60_000) === 0)).toBe(true)
    expect(month?.count.reduce((sum, count) => sum + count, 0)).toBe(30 * 1440 - 1)
    const [coarse] = await reader.buckets({ paths: [TEMPERATURE], from: AT, to: AT + 30 * DAY, points: 100 })
    expect(coarse?.bucketMs).toBe(8 * HOUR)
    const [fine] = await reader.buckets({ paths: [TEMPERATURE], from: AT + 1, to: AT + HOUR + 1, points: 1000 })
    expect([fine?.bucketMs, fine?.at[0]]).toEqual([3600, AT + 1 + 16 * 3600])
  })

  it('answers hourly means', async () => {
    await commit(everyMinute(1))
    const query = { paths: [TEMPERATURE, RUNNING], from: AT, to: AT + DAY, points: 1, bucketMs: HOUR }
    const [means, none] = await reader.buckets(query)
    const expected = Array.from({ length: 24 }, (_, hour) => {
      const values = Array.from({ length: 60 }, (_, minute) => (hour * 60 + minute) % 100)
      return values.reduce((sum, value) => sum + value, 0) / 60
    })
    expect([...(means?.mean ?? [])]).toEqual(expected)
    expect(none?.at).toHaveLength(0)
  })

  it('tells last values in their own types', async () => {
    await commit([
      [RUNNING, AT, true],
      [RUNNING, AT + 1000, false],
      [STATE, AT, 'idle'],
      [ENERGY, AT, 2n ** 64n - 1n],
    ])
    const at = (found: Awaited<ReturnType<HistoryReader['last']>>) =>
      new Map(found.map((last) => [last.path, last.value]))
    expect(at(await reader.last([RUNNING, STATE, ENERGY, TEMPERATURE, 'unknown']))).toEqual(
      new Map<string, Scalar>([
        [RUNNING, false],
        [STATE, 'idle'],
        [ENERGY, 2n ** 64n - 1n],
      ]),
    )
    expect(at(await reader.last([RUNNING], AT + 1000))).toEqual(new Map([[RUNNING, true]]))
  })
})

async function read(format: 'csv' | 'parquet', paths: readonly string[]) {
  const pieces: ExportPiece[] = []
  for await (const piece of exportRows(reader, { paths, from: AT, to: AT + DAY, format }, dir)) pieces.push(piece)
  return { pieces, bytes: Buffer.concat(pieces.map((piece) => piece.bytes)) }
}

const MIXED = [
  [TEMPERATURE, AT, -1.25],
  [TEMPERATURE, AT + 1, null],
  [RUNNING, AT, true],
  [STATE, AT, '=1+1'],
  [STATE, AT + 1, 'a "b", c'],
  [ENERGY, AT, 2n ** 63n + 1n],
] as const

describe('values chosen to look like the whole', () => {
  const spike = AT + 77_777 * 100
  const steps = (count: number) =>
    Array.from({ length: count }, (_, i) => [TEMPERATURE, AT + i * 100, AT + i * 100 === spike ? 1000 : i % 7] as const)

  it('are chosen from every value, and from extremes where those are too many', async () => {
    await commit([[TEMPERATURE, AT - 1, 5], ...steps(90_000), [TEMPERATURE, AT + DAY - 1, null]])
    const query = { path: TEMPERATURE, from: AT, to: AT + DAY, points: 50 }
    const all = await choosePoints(reader, query)
    expect([all.from, all.at.length, all.at[0], all.at.at(-1)]).toEqual(['values', 50, AT, AT + 89_999 * 100])
    expect([...all.at]).toContain(spike)
    await commit(steps(90_000).map(([path, at, value]) => [path, at + 9_000_000, value + 1] as const))
    const some = await choosePoints(reader, query)
    expect([some.from, some.at.length, some.at[0]]).toEqual(['extremes', 50, AT])
    expect([...some.at]).toContain(spike)
    expect([...some.at]).toEqual([...new Set(some.at)].sort((a, b) => a - b))
  })

  it('are none where there are none', async () => {
    const query = { path: STATE, from: AT, to: AT + DAY, points: 50 }
    expect((await choosePoints(reader, query)).at).toHaveLength(0)
    await commit([[STATE, AT, 'idle']])
    expect((await choosePoints(reader, query)).at).toHaveLength(0)
  })
})

describe('an export', () => {
  it('writes CSV that tells texts, 64-bit integers and unread values', async () => {
    await commit(MIXED)
    const { bytes, pieces } = await read('csv', [TEMPERATURE, RUNNING, STATE, ENERGY])
    expect(bytes.toString().split('\r\n')).toEqual([
      'path,time,value,quality',
      'g/e/d/temperature,2026-01-05T00:00:00.000Z,-1.25,192',
      'g/e/d/temperature,2026-01-05T00:00:00.001Z,,192',
      'g/e/d/running,2026-01-05T00:00:00.000Z,true,192',
      `"g/e/d/state, ""now""",2026-01-05T00:00:00.000Z,'=1+1,192`,
      '"g/e/d/state, ""now""",2026-01-05T00:00:00.001Z,"a ""b"", c",192',
      'g/e/d/energy,2026-01-05T00:00:00.000Z,9223372036854775809,192',
      '',
    ])
    expect(pieces.at(-1)).toMatchObject({ rows: 6, estimatedRows: 6 })
  })

  it('goes through more values than it holds at once, and tells how far it is', async () => {
    await commit(Array.from({ length: 120_000 }, (_, i) => [TEMPERATURE, AT + i * 100, i % 7] as const))
    const { bytes, pieces } = await read('csv', [TEMPERATURE])
    const rows = pieces.map((piece) => piece.rows)
    expect(rows).toEqual(Array.from({ length: 25 }, (_, i) => i * 5_000))
    expect(new Set(pieces.map((piece) => piece.estimatedRows))).toEqual(new Set([120_000]))
    expect(bytes.toString().split('\r\n')).toHaveLength(120_002)
  })

  it('writes Parquet with the same rows, and leaves nothing behind, also when it is stopped', async () => {
    await commit(MIXED)
    const { bytes } = await read('parquet', [TEMPERATURE, RUNNING, STATE, ENERGY])
    writeFileSync(join(dir, 'out.parquet'), bytes)
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    const result = await connection.run(
      `SELECT path, epoch_ms(time)::DOUBLE, value, text, quality FROM '${join(dir, 'out.parquet')}'`,
    )
    expect(await result.getRows()).toEqual([
      [TEMPERATURE, AT, -1.25, null, 192],
      [TEMPERATURE, AT + 1, null, null, 192],
      [RUNNING, AT, 1, null, 192],
      [STATE, AT, null, '=1+1', 192],
      [STATE, AT + 1, null, 'a "b", c', 192],
      [ENERGY, AT, 2 ** 63, '9223372036854775809', 192],
    ])
    connection.closeSync()
    instance.closeSync()
    for await (const _ of exportRows(reader, { paths: [TEMPERATURE], from: AT, to: AT + 1, format: 'parquet' }, dir))
      break
    expect(readdirSync(dir).sort()).toEqual(['history', 'out.parquet'])
  })
})
