import { describe, expect, it } from 'vitest'
import type { ConfigurationDifference } from '#shared/contracts/edge-configuration.ts'
import { piecesOf } from './pieces.ts'

type Line = ConfigurationDifference['lines'][number]
const line = (kind: Line['kind'], text: string): Line => ({ kind, text })
const equal = (count: number) => Array.from({ length: count }, (_, i) => line('same', `line ${i}`))

describe('a difference for people', () => {
  it('shows the change with three lines around it and counts the rest', () => {
    const pieces = piecesOf([...equal(10), line('removed', 'old'), line('added', 'new'), ...equal(5)])
    expect(pieces.map((piece) => ('skipped' in piece ? piece.skipped : piece.kind))).toEqual([
      ...[7, 'same', 'same', 'same', 'removed', 'added', 'same', 'same', 'same', 2],
    ])
  })

  it('leaves out nothing that changed', () => {
    const lines = [line('added', 'a'), ...equal(20), line('removed', 'b')]
    const shown = piecesOf(lines).filter((piece) => 'kind' in piece && piece.kind !== 'same')
    expect(shown).toMatchObject([{ text: 'a' }, { text: 'b', at: 21 }])
  })
})
