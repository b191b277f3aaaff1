import { describe, expect, it } from 'vitest'
import { compareTag, noComparison } from './ledger.ts'

const answered = [1, 2, 3, 4].map((value, i) => ({ value, at: 10_000 + i * 5000 }))
const ledger = { answered, served: new Map(answered.map(({ value, at }) => [value, at])) }
const stored = (values: readonly number[]) =>
  values.map((value) => ({ value, at: 10_000 + (value - 1) * 5000 + 20, isBad: false }))
const compare = (values: ReturnType<typeof stored>, kills: readonly number[] = [], givesTimes = false) =>
  compareTag('d/t', ledger, values, { kills: kills.map((at) => ({ at, goneAt: at })), givesTimes })

describe('the comparison of history with the ledger', () => {
  it('passes equal ones and counts what it compared', () => {
    expect(compare(stored([1, 2, 3, 4]))).toEqual({ ...noComparison(), compared: 4 })
  })

  it('catches a value that is missing, unless its answer was in flight when a process was killed', () => {
    expect(compare(stored([1, 2, 4])).lost).toHaveLength(1)
    expect(compare(stored([1, 2, 4]), [20_500])).toMatchObject({ lost: [], excusedByKill: 1 })
  })

  it('excuses what a slow scan had read before a kill, but nothing that a later value overtook', () => {
    expect(compare(stored([1, 2, 4]), [24_500])).toMatchObject({ lost: [], excusedByKill: 1 })
    expect(compare(stored([1, 3, 4]), [20_500])).toMatchObject({ excusedByKill: 0 })
    expect(compare(stored([1, 3, 4]), [20_500]).lost).toHaveLength(1)
  })

  it('excuses a missing value where the edge recorded that it had lost the device, and counts it', () => {
    const bad = { value: 0, at: 20_400, isBad: true }
    expect(compare([...stored([1, 2, 4]), bad])).toMatchObject({ lost: [], excusedByRecord: 1 })
    const soonGood = { value: 2, at: 16_000, isBad: false }
    expect(compare([...stored([1, 2, 4]), { ...bad, at: 15_500 }, soonGood]).lost).toHaveLength(1)
  })

  it('catches a value that is stored twice, unless it was read again after a restart', () => {
    const twice = [...stored([1, 2, 3, 4]), { value: 4, at: 27_000, isBad: false }]
    expect(compare(twice).doubled).toHaveLength(1)
    expect(compare(twice, [26_000]).doubled).toEqual([])
  })

  it('catches a value that nobody served', () => {
    const more = [...stored([1, 2, 3, 4]), { value: 9, at: 26_000, isBad: false }]
    expect(compare(more).unknown).toHaveLength(1)
  })

  it('catches a value at another time than its device gave, unless the link had just opened', () => {
    expect(compare(stored([1, 2, 3, 4]), [], true).misdated).toHaveLength(4)
    expect(compare(stored([1, 2, 3, 4]), [10_010, 15_010, 20_010, 25_010], true).misdated).toEqual([])
    const exact = answered.map(({ value, at }) => ({ value, at, isBad: false }))
    expect(compare(exact, [], true)).toEqual({ ...noComparison(), compared: 4 })
  })
})
