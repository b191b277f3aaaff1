import { describe, expect, it } from 'vitest'
import { BAD, GOOD, UNCERTAIN } from '#shared/contracts/sample.ts'
import { BatchBuilder } from '../batch.ts'
import { linesOf, prefixes } from './lines.ts'

const AT = 1_767_571_200_000
const names = prefixes((key) => (key < 9 ? { group: 'g', edge: 'e', device: 'd', tag: `t${key}` } : undefined))
const always = { keepsText: true, oldest: Number.NEGATIVE_INFINITY, newest: Number.POSITIVE_INFINITY }
const start = (key: number) => `tag,group=g,edge=e,device=d,tag=t${key} `

describe('the lines of a batch', () => {
  it('hold value, quality and time, and no value where none could be read', () => {
    const builder = new BatchBuilder()
    builder.add(1, AT, 20.5, GOOD)
    builder.add(1, AT + 1, -1e300, UNCERTAIN)
    builder.add(2, AT + 1, true, GOOD)
    builder.add(2, AT + 2, null, BAD)
    builder.add(2, AT + 3, Number.POSITIVE_INFINITY, GOOD)
    expect([...linesOf(builder.take(), names, always).pieces].join('').split('\n')).toEqual([
      `${start(1)}value=20.5,quality=192i ${AT}`,
      `${start(1)}value=-1e+300,quality=64i ${AT + 1}`,
      `${start(2)}value=1,quality=192i ${AT + 1}`,
      `${start(2)}quality=0i ${AT + 2}`,
      `${start(2)}quality=192i ${AT + 3}`,
      '',
    ])
  })

  it('hold texts and all digits of wide integers, where the engine takes text', () => {
    const builder = new BatchBuilder()
    builder.add(3, AT, 'a "b"\\\nc', GOOD)
    builder.add(4, AT, 5n, GOOD)
    builder.add(4, AT + 1, -(2n ** 60n) - 1n, GOOD)
    builder.add(4, AT + 2, 2n ** 64n - 1n, GOOD)
    const batch = builder.take()
    const text = (keepsText: boolean) => [...linesOf(batch, names, { ...always, keepsText }).pieces].join('')
    expect(text(true)).toBe(
      [
        `${start(3)}text="a \\"b\\"\\\\\nc",quality=192i ${AT}\n`,
        `${start(4)}value=5,quality=192i ${AT}\n`,
        `${start(4)}value=-1152921504606847000,text="-1152921504606846977",quality=192i ${AT + 1}\n`,
        `${start(4)}value=18446744073709552000,text="18446744073709551615",quality=192i ${AT + 2}\n`,
      ].join(''),
    )
    expect(text(false)).not.toContain('text=')
  })

  it('leave out what the engine would drop in silence, and count it', () => {
    const builder = new BatchBuilder()
    for (const at of [AT - 3, AT - 2, AT, AT + 5]) builder.add(1, at, 1, GOOD)
    builder.add(2, AT - 9, 'old', GOOD)
    const lines = linesOf(builder.take(), names, { keepsText: true, oldest: AT - 1, newest: AT + 1 })
    expect([...lines.pieces]).toEqual([`${start(1)}value=1,quality=192i ${AT}\n`])
    expect([...lines.refusals.values()]).toEqual([
      { group: 'g', edge: 'e', reason: 'older', rows: 3, firstAt: AT - 9, lastAt: AT - 2 },
      { group: 'g', edge: 'e', reason: 'newer', rows: 1, firstAt: AT + 5, lastAt: AT + 5 },
    ])
  })

  it('come in pieces that a request can carry', () => {
    const builder = new BatchBuilder()
    for (let i = 0; i < 45_000; i++) builder.add(1, AT + i, i, GOOD)
    const pieces = [...linesOf(builder.take(), names, always).pieces]
    expect(pieces.map((piece) => piece.split('\n').length - 1)).toEqual([20_000, 20_000, 5_000])
  })
})
