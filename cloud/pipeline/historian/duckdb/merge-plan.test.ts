import { describe, expect, it } from 'vitest'
import type { BlockFile } from './catalogue.ts'
import { planMerges } from './merge-plan.ts'

const LIMITS = { mergeBlocks: 3, mergeRows: 1000 }
const TODAY = 100

/** A block of three files; `kinds` tells which. */
function block(number: number, extra: Partial<BlockFile> = {}, kinds = 'nmh'): BlockFile[] {
  return [...kinds].map((kind) => ({
    ...{ name: `${number}-${kind}`, kind: kind as BlockFile['kind'], block: number, class: 0, level: 0, day: TODAY },
    ...{ firstAt: number * 10, lastAt: number * 10 + 9, rows: 100, sizeBytes: 1, indexAt: 0, groups: 1 },
    ...extra,
  }))
}

const planned = (files: readonly BlockFile[]) =>
  planMerges(files, TODAY, LIMITS).map(({ level, blocks }) => [level, ...blocks.map((own) => own.block)])

describe('a plan of merges', () => {
  it('merges as many blocks of a level as it is told to, oldest values first', () => {
    expect(planned([block(1), block(2)].flat())).toEqual([])
    expect(planned([block(3), block(1), block(2), block(4)].flat())).toEqual([[1, 1, 2, 3]])
    expect(planned([1, 2, 3].flatMap((number) => block(number, { level: 1 })))).toEqual([[2, 1, 2, 3]])
    expect(planned([1, 2, 3].flatMap((number) => block(number, { level: 2 })))).toEqual([])
  })

  it('makes no block of more rows than it is told to', () => {
    expect(planned([1, 2, 3, 4].flatMap((number) => block(number, { rows: 400 })))).toEqual([[1, 1, 2]])
    expect(planned([1, 2, 3, 4].flatMap((number) => block(number, { rows: 900 })))).toEqual([])
  })

  it('merges all of a day that has ended, unless it is too big', () => {
    const yesterday = { day: TODAY - 1 }
    expect(planned([...block(1, yesterday), ...block(2, { ...yesterday, level: 1 })])).toEqual([[3, 1, 2]])
    expect(planned(block(1, { ...yesterday, level: 3 }))).toEqual([])
    expect(planned([1, 2, 3, 4].flatMap((number) => block(number, { ...yesterday, rows: 300 })))).toEqual([
      [1, 1, 2, 3],
    ])
  })

  it('merges only what has the same class, day and levels', () => {
    const others = [block(2, { class: 1 }), block(3, {}, 'mh'), block(4, { day: TODAY + 1 })]
    expect(planned([block(1), block(5), ...others].flat())).toEqual([])
    expect(planned([1, 2, 3].flatMap((number) => block(number, {}, 'mh')))).toEqual([[1, 1, 2, 3]])
  })
})
