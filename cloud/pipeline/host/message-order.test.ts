import { describe, expect, it } from 'vitest'
import { MessageOrder } from './message-order.ts'

/** Admits messages named by their numbers; answers those taken, in order. */
function taken(order: MessageOrder<number>, seqs: readonly number[], at = 0): number[] {
  const out: number[] = []
  for (const seq of seqs) {
    if (order.admit(seq, seq, at) !== 'take') continue
    out.push(seq)
    for (let next = order.next(); next !== undefined; next = order.next()) out.push(next)
  }
  return out
}

const begun = (seq = 0) => {
  const order = new MessageOrder<number>()
  order.begin(seq)
  return order
}

describe('the order of a session', () => {
  it('takes what comes in order, over the wrap at 255', () => {
    const all = Array.from({ length: 600 }, (_, i) => (i + 1) % 256)
    expect(taken(begun(), all)).toEqual(all)
  })

  it('holds what comes early until the missing message is there', () => {
    const order = begun()
    expect(taken(order, [1, 3, 4])).toEqual([1])
    expect(order.isWaiting).toBe(true)
    expect(taken(order, [2])).toEqual([2, 3, 4])
    expect(order.isWaiting).toBe(false)
  })

  it('goes on waiting while another one is missing', () => {
    const order = begun()
    expect(taken(order, [2, 4])).toEqual([])
    expect(taken(order, [1])).toEqual([1, 2])
    expect(order.isWaiting).toBe(true)
    expect(taken(order, [3])).toEqual([3, 4])
  })

  it('takes the first message of a session that nobody counted', () => {
    expect(taken(new MessageOrder<number>(), [77, 78])).toEqual([77, 78])
  })

  it('drops a duplicate, and is content with the next in order', () => {
    const order = begun()
    expect(taken(order, [1, 1, 2, 2])).toEqual([1, 2])
    expect(order.isWaiting).toBe(true)
    expect(taken(order, [3])).toEqual([3])
    expect(order.isWaiting).toBe(false)
  })
})

describe('the reorder window', () => {
  it('closes after its time, counted from the first early message', () => {
    const order = begun()
    taken(order, [2], 1000)
    taken(order, [3], 2500)
    expect(order.isOverdue(2999, 2000)).toBe(false)
    expect(order.isOverdue(3000, 2000)).toBe(true)
  })

  it('hands over what was held, in order, and takes the missing one when it comes late', () => {
    const order = begun(253)
    taken(order, [2, 255, 0])
    expect(order.giveUp(0)).toEqual([255, 0, 2])
    expect(order.isWaiting).toBe(false)
    expect(taken(order, [254])).toEqual([254])
    expect(taken(order, [1])).toEqual([1])
    expect(taken(order, [1])).toEqual([])
    expect(taken(order, [3])).toEqual([3])
  })

  it('runs for a message that fits nowhere, as when a birth was lost', () => {
    const order = begun(200)
    expect(taken(order, [1], 50)).toEqual([])
    expect(order.isOverdue(2050, 2000)).toBe(true)
  })

  it('is given up on a sender whose numbers mean nothing, until its next session', () => {
    const order = begun()
    const misnumber = (at: number) => {
      taken(order, [((order.last ?? 0) + 5) % 256])
      order.giveUp(at)
      order.begin(0)
    }
    for (let i = 0; i < 9; i++) misnumber(i * 60_000)
    expect(order.isUseless).toBe(false)
    for (let i = 0; i < 4; i++) misnumber(500_000 + i * 5000)
    expect(order.isUseless).toBe(true)
    expect(taken(order, [9, 9, 4])).toEqual([9, 9, 4])
    order.trust()
    expect(order.isUseless).toBe(false)
  })

  it('ends at a birth: what was held belongs to the time before', () => {
    const order = begun()
    taken(order, [2, 3])
    expect(order.begin(0)).toEqual([2, 3])
    expect(taken(order, [1, 2])).toEqual([1, 2])
  })
})
