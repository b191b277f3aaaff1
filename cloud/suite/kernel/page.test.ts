import { describe, expect, it } from 'vitest'
import { DomainError } from '#cloud/platform/errors.ts'
import { newId } from '#cloud/platform/id.ts'
import { cursorId, cursorNumber, cursorText, encodeCursor, pageOf } from './page.ts'

describe('a page of a list', () => {
  it('has a cursor only when something follows', () => {
    expect(pageOf([1, 2, 3], 2, (n) => [n])).toEqual({ items: [1, 2], nextCursor: encodeCursor([2]) })
    expect(pageOf([1, 2], 2, (n) => [n]).nextCursor).toBeNull()
    expect(pageOf([], 2, () => [0]).nextCursor).toBeNull()
  })

  it('begins where the page before ended', () => {
    const id = newId()
    expect(cursorId(encodeCursor([id]))).toBe(id)
    expect(cursorNumber(encodeCursor([7]))).toBe(7)
    expect(cursorText(encodeCursor(['a/b']))).toBe('a/b')
  })

  it('refuses a cursor that no list gave', () => {
    for (const read of [cursorId, cursorNumber, cursorText]) {
      for (const bad of ['', 'x', encodeCursor([]), Buffer.from('{}').toString('base64url')]) {
        expect(() => read(bad)).toThrow(DomainError)
      }
    }
    expect(() => cursorId(encodeCursor(["'; drop table"]))).toThrow(DomainError)
    expect(() => cursorNumber(encodeCursor(['7']))).toThrow(DomainError)
  })
})
