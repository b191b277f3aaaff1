import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { differenceOf } from './difference.ts'

const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 }).map((lines) => lines.join('\n'))

describe('the difference of two documents', () => {
  it('tells what was removed, added and kept, in the order of the texts', () => {
    expect(differenceOf('a\nb\nc', 'a\nx\nc\nd')).toEqual([
      { kind: 'same', text: 'a' },
      { kind: 'removed', text: 'b' },
      { kind: 'added', text: 'x' },
      { kind: 'same', text: 'c' },
      { kind: 'added', text: 'd' },
    ])
  })

  it('gives both texts back, whatever they are', () => {
    fc.assert(
      fc.property(text, text, (from, to) => {
        const lines = differenceOf(from, to)
        const without = (kind: string) =>
          lines
            .filter((line) => line.kind !== kind)
            .map((line) => line.text)
            .join('\n')
        expect([without('added'), without('removed')]).toEqual([from, to])
      }),
    )
  })

  it('is nothing between a text and itself', () => {
    fc.assert(fc.property(text, (same) => differenceOf(same, same).every(({ kind }) => kind === 'same')))
  })
})
