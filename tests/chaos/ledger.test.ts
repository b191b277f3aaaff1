import { describe, expect, it } from 'vitest'
import { compareTag } from './ledger.ts'

const answered = [1, 2, 3, 4].map((value, i) => ({ value, at: 10_000 + i * 5000 }))
const ledger = { answered, served: new Map(answered.map(({ value, at }) => [value, at])) }
const stored = (values: readonly number[]) =>
  values.map((value) => ({ value, at: 10_000 + (value - 1) * 5000 + 20, isBad: false }))

describe('the comparison of history with the ledger', () => {
  it('passes equal ones and counts what it compared', () => {
    const result = compareTag('d/t', ledger, stored([1, 2, 3, 4]), [])
    expect(result).toEqual({ compared: 4, lost: [], doubled: [], unknown: [] })
  })

  it('catches a value that is missing, unless its answer was in flight when a process was killed', () => {
    expect(compareTag('d/t', ledger, stored([1, 2, 4]), []).lost).toHaveLength(1)
    expect(compareTag('d/t', ledger, stored([1, 2, 4]), [20_500]).lost).toEqual([])
  })

  it('excuses a missing value where the edge recorded that it had lost the device', () => {
    const told = [...stored([1, 2, 4]), { value: 0, at: 20_400, isBad: true }]
    expect(compareTag('d/t', ledger, told, []).lost).toEqual([])
  })

  it('catches a value that is stored twice, unless it was read again after a restart', () => {
    const twice = [...stored([1, 2, 3, 4]), { value: 4, at: 27_000, isBad: false }]
    expect(compareTag('d/t', ledger, twice, []).doubled).toHaveLength(1)
    expect(compareTag('d/t', ledger, twice, [26_000]).doubled).toEqual([])
  })

  it('catches a value that nobody served', () => {
    const more = [...stored([1, 2, 3, 4]), { value: 9, at: 26_000, isBad: false }]
    expect(compareTag('d/t', ledger, more, []).unknown).toHaveLength(1)
  })
})
