import { describe, expect, it, vi } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import type { Change } from '../shard/changes.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'
import { changeBook } from './change-book.ts'

const saved = (name: string): Change => ({ kind: 'saved', shard: { id: name } as EdgeShard, at: new Date(0) })

/** A book whose tables refuse whatever is called bad. */
function book() {
  const transactions: string[][] = []
  const made = changeBook({
    store: {
      async recordChanges(changes) {
        const names = changes.map(({ shard }) => shard.id)
        if (names.includes('bad')) throw new Error('value too long')
        transactions.push(names)
        return changes.map(() => undefined)
      },
    },
    record: (work) => work(),
    log: silentLog,
  })
  return { made, transactions }
}

describe('the book of changes', () => {
  it('writes what comes together in one transaction', async () => {
    const { made, transactions } = book()
    await Promise.all(['a', 'b', 'c'].map((name) => made.add(saved(name))))
    expect(transactions).toEqual([['a', 'b', 'c']])
  })

  it('lets no change suffer from the fault of another', async () => {
    const { made, transactions } = book()
    const written = await Promise.allSettled(['a', 'bad', 'c'].map((name) => made.add(saved(name))))
    expect(written.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(transactions).toEqual([['a'], ['c']])
  })

  it('gathers what nobody waits for, and is told when all of it is written', async () => {
    const { made, transactions } = book()
    made.tell(saved('a'))
    await Promise.resolve()
    made.tell(saved('b'))
    expect(transactions).toEqual([])
    await made.settled()
    expect(transactions).toEqual([['a', 'b']])
  })

  it('goes on gathering after a timer that fired while a writing was under way', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const first = Promise.withResolvers<void>()
    const transactions: string[][] = []
    const made = changeBook({
      store: {
        async recordChanges(changes) {
          if (transactions.push(changes.map(({ shard }) => shard.id)) === 1) await first.promise
          return changes.map(() => undefined)
        },
      },
      record: (work) => work(),
      log: silentLog,
    })
    const written = made.add(saved('a'))
    await Promise.resolve()
    made.tell(saved('b'))
    vi.advanceTimersByTime(1000)
    first.resolve()
    await written
    await made.settled()
    made.tell(saved('c'))
    await vi.advanceTimersByTimeAsync(1000)
    vi.useRealTimers()
    expect(transactions).toEqual([['a'], ['b'], ['c']])
  })

  it('writes thousands in pieces, in order', async () => {
    const { made, transactions } = book()
    const names = Array.from({ length: 1200 }, (_, i) => String(i))
    await Promise.all(names.map((name) => made.add(saved(name))))
    expect(transactions.map(({ length }) => length)).toEqual([500, 500, 200])
    expect(transactions.flat()).toEqual(names)
  })
})
