import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readValue } from '#cloud/pipeline/host/values.ts'
import { offsetsOf, type PayloadOffsets } from '#shared/sparkplug/completeness.ts'
import { AliasTable, DataColumns, HISTORICAL, MISFIT, NULL, readData, WIDE } from '#shared/sparkplug/data-columns.ts'
import type { SparkplugType } from '#shared/sparkplug/datatype.ts'
import { decodePayload, type Payload, PayloadError } from '#shared/sparkplug/payload.ts'
import { type Birth, bornDataArb, damageArb, damaged, FIRST_ALIAS, LAST_ALIAS } from './codec-arbitraries.ts'

const slotsOf = ({ types }: Birth): number[] => [...types.keys()]

function tableOf({ types, hasOffsets }: Birth): AliasTable {
  const table = new AliasTable()
  for (const [i, [alias, type]] of [...types].entries()) table.set(alias, i, type)
  if (hasOffsets) table.firstOffsetAlias = FIRST_ALIAS
  if (hasOffsets) table.lastOffsetAlias = LAST_ALIAS
  return table
}

/** What a payload says, in the form in which both ways can tell it. */
interface Told {
  readonly timestamp: number
  readonly seq: number
  readonly offsets: readonly [bigint, bigint] | undefined
  readonly samples: readonly unknown[]
}

/** By objects, as the host does. Undefined when a metric is one that the birth does not know by alias. */
function byObjects(bytes: Uint8Array, birth: Birth): Told | undefined {
  const { types, hasOffsets } = birth
  const payload = decodePayload(bytes)
  const aliases = hasOffsets ? { first: FIRST_ALIAS, last: LAST_ALIAS } : { first: undefined, last: undefined }
  const offsets = offsetsOf(payload, aliases)
  const samples: unknown[] = []
  for (let i = 0; i < (offsets?.samples ?? payload.count); i++) {
    const alias = payload.alias(i)
    const type = typeof alias === 'number' ? types.get(alias) : undefined
    if (type === undefined) return undefined
    samples.push({ slot: slotsOf(birth).indexOf(Number(alias)), ...sampleOf(payload, i, type) })
  }
  return {
    timestamp: payload.timestamp ?? Number.NaN,
    seq: payload.seq ?? -1,
    offsets: boundsOf(offsets),
    samples,
  }
}

const boundsOf = (offsets: PayloadOffsets | undefined) =>
  offsets && !offsets.isThinned ? ([offsets.first, offsets.last] as const) : undefined

function sampleOf(payload: Payload, index: number, type: SparkplugType) {
  let isMisfit = false
  const read = readValue(payload, index, { role: 'tag', type, tag: undefined }, () => {
    isMisfit = true
  })
  return {
    at: read.sourceAt ?? Number.NaN,
    value: read.value,
    quality: read.quality,
    isNull: payload.isNull(index),
    isMisfit,
    isHistorical: payload.isHistorical(index),
  }
}

function byColumns(columns: DataColumns, birth: Birth): Told {
  const types = [...birth.types.values()]
  const samples = Array.from({ length: columns.count }, (_, i) => {
    const flag = columns.flag[i] as number
    const slot = columns.slot[i] as number
    return {
      slot,
      at: columns.ts[i],
      value: scalarOf(columns, i, types[slot]),
      quality: columns.q[i],
      isNull: (flag & NULL) !== 0,
      isMisfit: (flag & MISFIT) !== 0,
      isHistorical: (flag & HISTORICAL) !== 0,
    }
  })
  const { timestamp, seq, hasOffsets, firstOffset, lastOffset } = columns
  return { timestamp, seq, offsets: hasOffsets ? [firstOffset, lastOffset] : undefined, samples }
}

function scalarOf({ flag, v, wide }: DataColumns, i: number, type: SparkplugType | undefined) {
  const bits = flag[i] as number
  if (bits & (NULL | MISFIT)) {
    expect(v[i]).toBeNaN()
    return null
  }
  if (bits & WIDE) {
    expect(v[i]).toBeNaN()
    return wide[i]
  }
  return type === 'boolean' ? v[i] === 1 : v[i]
}

type Outcome = 'columns' | 'objects' | 'refused'

/** One pair of columns for all payloads, as the host has them: what an earlier payload left must not show. */
const columns = new DataColumns()

function compare(bytes: Uint8Array, birth: Birth): Outcome {
  const objects = attempt(() => byObjects(bytes, birth))
  const answer = attempt(() => readData(bytes, tableOf(birth), columns))
  if (answer === true) {
    expect(byColumns(columns, birth)).toEqual(objects)
    return 'columns'
  }
  expect([columns.count, columns.hasOffsets, columns.timestamp, columns.seq]).toEqual([0, false, Number.NaN, -1])
  if (answer === false) return 'objects'
  expect(objects).toBeInstanceOf(PayloadError)
  return 'refused'
}

function attempt<T>(run: () => T): T | PayloadError {
  try {
    return run()
  } catch (error) {
    if (error instanceof PayloadError) return error
    throw error
  }
}

/** How often each outcome came: a generator that never gets to one of them proves nothing about it. */
function tally(run: (count: (outcome: Outcome) => void) => void): Record<Outcome, number> {
  const counts = { columns: 0, objects: 0, refused: 0 }
  run((outcome) => {
    counts[outcome] += 1
  })
  return counts
}

describe('data read into columns', () => {
  it('is what the object decoder and the host would read, or is left to them', () => {
    const counts = tally((count) =>
      fc.assert(
        fc.property(bornDataArb, ([birth, bytes]) => count(compare(bytes, birth))),
        { numRuns: 2000 },
      ),
    )
    expect(counts.columns).toBeGreaterThan(100)
    expect(counts.objects).toBeGreaterThan(40)
    expect(counts.refused).toBeGreaterThan(20)
  })

  it('is the same for damaged payloads', () => {
    const counts = tally((count) =>
      fc.assert(
        fc.property(bornDataArb, fc.array(damageArb, { minLength: 1, maxLength: 3 }), ([birth, bytes], damages) =>
          count(compare(damages.reduce(damaged, bytes), birth)),
        ),
        { numRuns: 2000 },
      ),
    )
    expect(counts.columns).toBeGreaterThan(20)
    expect(counts.refused).toBeGreaterThan(80)
  })
})
