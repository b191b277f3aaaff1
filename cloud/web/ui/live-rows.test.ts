import { describe, expect, it } from 'vitest'
import { LEAVING_MS, liveRows } from './live-rows.ts'

interface Row {
  readonly id: string
  readonly text: string
}
const row = (id: string, text = id): Row => ({ id, text })
const list = () => liveRows((r: Row) => r.id)
const ids = (rows: { shown: readonly { row: Row; leaving: boolean }[] }) =>
  rows.shown.map((s) => (s.leaving ? `(${s.row.id})` : s.row.id)).join(' ')

describe('a live list', () => {
  it('takes the order of the server while nobody holds it', () => {
    const rows = list()
    rows.take([row('a'), row('b')], 0, false)
    expect(ids(rows.take([row('c'), row('b'), row('a')], 1, false))).toBe('c b a')
  })

  it('lets new rows wait and changes known ones in their place while it is held', () => {
    const rows = list()
    rows.take([row('a'), row('b')], 0, false)
    const held = rows.take([row('c'), row('b', 'changed'), row('a')], 1, true)
    expect(ids(held)).toBe('a b')
    expect(held.waiting).toBe(1)
    expect(held.shown[1]?.row.text).toBe('changed')
  })

  it('keeps a row that left in its place for five seconds, struck through', () => {
    const rows = list()
    rows.take([row('a'), row('b'), row('c')], 0, false)
    expect(ids(rows.take([row('a'), row('c')], 1000, false))).toBe('a (b) c')
    expect(ids(rows.take([row('a'), row('c')], 1000 + LEAVING_MS, false))).toBe('a c')
  })

  it('shows a row that came back as an ordinary one', () => {
    const rows = list()
    rows.take([row('a'), row('b')], 0, true)
    rows.take([row('a'), row('b')], 0, false)
    rows.take([row('a')], 1, true)
    expect(ids(rows.take([row('a'), row('b')], 2, true))).toBe('a b')
  })
})
