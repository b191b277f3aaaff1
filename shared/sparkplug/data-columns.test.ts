import { describe, expect, it } from 'vitest'
import { AliasTable, DataColumns, HISTORICAL, MISFIT, NULL, readData, WIDE } from './data-columns.ts'
import type { SparkplugType } from './datatype.ts'
import { encodePayload, type OutgoingMetric, PayloadError } from './payload.ts'

const AT = 1_800_000_000_000

/** Slot 0 is alias 10, slot 1 alias 11, and so on. */
function tableOf(...types: SparkplugType[]): AliasTable {
  const table = new AliasTable()
  for (const [slot, type] of types.entries()) table.set(10 + slot, slot, type)
  table.firstOffsetAlias = 1
  table.lastOffsetAlias = 2
  return table
}

const columns = new DataColumns()
const read = (table: AliasTable, metrics: readonly OutgoingMetric[], head: object = { timestamp: AT, seq: 7 }) =>
  readData(encodePayload({ ...head, metrics }), table, columns)

const offsets = (first: bigint, last: bigint): OutgoingMetric[] => [
  { alias: 1, timestamp: AT, type: 'uint64', value: first, isTransient: true },
  { alias: 2, timestamp: AT, type: 'uint64', value: last, isTransient: true },
]

describe('a data payload in columns', () => {
  it('has slot, time, value and quality of each sample, and its offsets', () => {
    const uncertain = { Quality: { type: 'int32', value: 0 }, 'Andon Quality': { type: 'int32', value: 64 } } as const
    const isRead = read(tableOf('double', 'boolean', 'int16'), [
      { alias: 11, timestamp: AT, type: 'boolean', value: true },
      { alias: 10, timestamp: AT + 1, type: 'double', value: -1.5, isHistorical: true },
      { alias: 12, timestamp: AT + 2, type: 'int16', value: -2, properties: uncertain },
      { alias: 12, type: 'int16', value: null },
      ...offsets(5n, 8n),
    ])
    expect(isRead).toBe(true)
    expect([columns.count, columns.timestamp, columns.seq]).toEqual([4, AT, 7])
    expect([columns.hasOffsets, columns.firstOffset, columns.lastOffset]).toEqual([true, 5n, 8n])
    expect([...columns.slot.subarray(0, 4)]).toEqual([1, 0, 2, 2])
    expect([...columns.ts.subarray(0, 4)]).toEqual([AT, AT + 1, AT + 2, AT])
    expect([...columns.v.subarray(0, 4)]).toEqual([1, -1.5, -2, Number.NaN])
    expect([...columns.q.subarray(0, 4)]).toEqual([192, 192, 64, 0])
    expect([...columns.flag.subarray(0, 4)]).toEqual([0, HISTORICAL, 0, NULL])
  })

  it('keeps every digit of 64-bit integers, and texts, beside the numbers', () => {
    const table = tableOf('int64', 'uint64', 'string')
    read(table, [
      { alias: 10, timestamp: AT, type: 'int64', value: -(2n ** 63n) },
      { alias: 11, timestamp: AT, type: 'uint64', value: 2n ** 64n - 1n },
      { alias: 12, timestamp: AT, type: 'string', value: '设定值' },
    ])
    expect(columns.wide.slice(0, 3)).toEqual([-(2n ** 63n), 2n ** 64n - 1n, '设定值'])
    expect([...columns.flag.subarray(0, 3)]).toEqual([WIDE, WIDE, WIDE])
    expect([...columns.v.subarray(0, 3)]).toEqual([Number.NaN, Number.NaN, Number.NaN])
  })

  it('marks a value of another type than its birth announced as unread and bad', () => {
    expect(read(tableOf('double'), [{ alias: 10, timestamp: AT, type: 'string', value: 'x' }])).toBe(true)
    expect([columns.flag[0], columns.q[0], columns.v[0]]).toEqual([MISFIT, 0, Number.NaN])
  })

  it('reads a 64-bit integer from the field of 64 bits alone', () => {
    const plain = [0x10, 10, 0x18, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]
    const inWord = Uint8Array.from([0x12, plain.length + 2, ...plain, 0x50, 5])
    expect(readData(inWord, tableOf('int64'), columns)).toBe(true)
    expect(columns.flag[0]).toBe(MISFIT)
    const tooLong = Uint8Array.from([0x12, plain.length + 12, ...plain, 0x58, ...new Array(10).fill(0x81), 0x01])
    expect(() => readData(tooLong, tableOf('int64'), columns)).toThrow(PayloadError)
  })

  it('takes the alias of an offset for an offset, even when the birth gave it to a tag as well', () => {
    const table = tableOf('double')
    table.set(1, 1, 'double')
    table.set(2, 2, 'double')
    const tag = { alias: 10, timestamp: AT, type: 'double', value: 1 } as const
    expect(read(table, [tag, ...offsets(9n, 9n)])).toBe(true)
    expect([columns.count, columns.firstOffset]).toEqual([1, 9n])
    expect(() => read(table, [tag, { ...tag, alias: 1 }])).toThrow(PayloadError)
  })

  it('holds payloads of any size', () => {
    const many = Array.from({ length: 5000 }, (_, i) => ({
      alias: 10,
      timestamp: AT + i,
      type: 'string' as const,
      value: `${i}`,
    }))
    expect(read(tableOf('string'), many)).toBe(true)
    expect([columns.count, columns.ts[4999], columns.wide[4999]]).toEqual([5000, AT + 4999, '4999'])
  })

  const double = { alias: 10, timestamp: AT, type: 'double', value: 1 } as const
  const int32 = (value: number) => ({ type: 'int32', value }) as const

  it.each<[string, OutgoingMetric]>([
    ['has a name', { ...double, name: 'a' }],
    ['has an alias that no birth announced', { ...double, alias: 99 }],
    ['has an alias that no number holds', { ...double, alias: 2n ** 60n }],
    ['has metadata', { ...double, metadata: { md5: 'a' } }],
    ['has its own offset', { ...double, properties: { 'Andon Offset': { type: 'uint64', value: 4n } } }],
    ['has another property', { ...double, properties: { engUnit: { type: 'string', value: 'kW' } } }],
    ['is stale', { ...double, properties: { Quality: int32(500) } }],
    ['has a quality of another type', { ...double, properties: { Quality: { type: 'int64', value: 0n } } }],
    ['is bytes', { ...double, type: 'bytes', value: Uint8Array.of(1) }],
    ['is an array', { ...double, type: 'int8array', value: Int8Array.of(1) }],
    ['is a data set', { ...double, type: 'dataset', value: { columns: [], types: [], rows: [] } }],
  ])('is left to the object decoder, and holds nothing, when a metric %s', (_, metric) => {
    expect(read(tableOf('double'), [double, metric])).toBe(false)
    expect([columns.count, columns.timestamp, columns.seq, columns.hasOffsets]).toEqual([0, Number.NaN, -1, false])
  })

  it('is left to the object decoder when a property has no value, which that one refuses', () => {
    const quality = [0x4a, 9, 0x0a, 7, ...Buffer.from('Quality')]
    const bytes = Uint8Array.from([0x12, quality.length + 2, 0x10, 10, ...quality])
    expect(readData(bytes, tableOf('double'), columns)).toBe(false)
  })

  it.each<[string, OutgoingMetric[]]>([
    ['do not fit their number', [double, ...offsets(5n, 6n)]],
    ['begin at 0', [double, ...offsets(0n, 0n)]],
    ['have no sample', offsets(1n, 0n)],
    ['stand before it', [...offsets(5n, 5n), double]],
    ['stand the wrong way round', [double, ...offsets(5n, 5n).reverse()]],
    ['lack one', [double, ...offsets(5n, 5n).slice(0, 1)]],
    ['lack the other', [double, ...offsets(5n, 5n).slice(1)]],
  ])('is refused when the offsets of a sample %s', (_, metrics) => {
    expect(() => read(tableOf('double'), metrics)).toThrow(PayloadError)
    expect(columns.count).toBe(0)
  })

  it('is refused when it ends inside a metric', () => {
    const bytes = encodePayload({ timestamp: AT, metrics: [double] })
    expect(() => readData(bytes.subarray(0, -1), tableOf('double'), columns)).toThrow(PayloadError)
  })
})

describe('the table of aliases', () => {
  it.each([
    ['near each other', [1000, 1001, 1003]],
    ['far apart', [1, 2 ** 32, 2 ** 53 - 1]],
  ])('finds metrics whose aliases lie %s, before and after more are added', (_, aliases) => {
    const table = new AliasTable()
    for (const [slot, alias] of aliases.entries()) table.set(alias, slot, 'double')
    expect(aliases.map((alias) => table.slotOf(alias))).toEqual([0, 1, 2])
    table.set(7, 3, 'int8')
    table.set(aliases[0] as number, 4, 'int8')
    expect([...aliases, 7].map((alias) => table.slotOf(alias))).toEqual([4, 1, 2, 3])
    expect([0, 1002, 2 ** 40, -1, 1.5].map((alias) => table.slotOf(alias))).toEqual([-1, -1, -1, -1, -1])
  })

  it('stays as small as its birth, however far apart the aliases are', () => {
    const table = new AliasTable()
    table.set(1, 0, 'double')
    table.set(2 ** 30, 1, 'double')
    expect(table.window().length).toBe(0)
    expect(table.slotOf(2 ** 30)).toBe(1)
  })

  it('is empty until a birth fills it', () => {
    expect(new AliasTable().slotOf(0)).toBe(-1)
  })
})
