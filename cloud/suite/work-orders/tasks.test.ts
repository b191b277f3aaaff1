import { describe, expect, it } from 'vitest'
import { isDone, taskRefusal } from './tasks.ts'

describe('the result of a task', () => {
  const number = { kind: 'number', minimum: 0.2, maximum: 0.5 } as const
  const check = { kind: 'check', minimum: null, maximum: null } as const

  it('is of the kind that the task asks for', () => {
    expect(taskRefusal(check, true)).toBeUndefined()
    expect(taskRefusal(check, 1)).toBe('task.check-expected')
    expect(taskRefusal({ ...check, kind: 'text' }, '')).toBe('task.text-expected')
    expect(taskRefusal(number, '0.3')).toBe('task.number-expected')
  })

  it('lies within the limits, ends included', () => {
    expect([0.2, 0.5].map((v) => taskRefusal(number, v))).toEqual([undefined, undefined])
    expect(taskRefusal(number, 0.51)).toBe('task.out-of-limits')
  })

  it('can be taken back', () => {
    expect(taskRefusal(number, null)).toBeUndefined()
    expect([null, false, true, 0].map(isDone)).toEqual([false, false, true, true])
  })
})
