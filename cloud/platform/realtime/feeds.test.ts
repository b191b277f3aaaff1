import { describe, expect, it, vi } from 'vitest'
import type { OutboxEvent } from '../outbox/event.ts'
import { createEventFeed } from './event-feed.ts'
import { createSlices } from './slices.ts'
import { createValueFeeds } from './value-feeds.ts'
import { type SourceValue, type ValueSource, wireValue } from './values.ts'

const event = (seq: number, topics: string[], org = 'org'): OutboxEvent => ({
  seq,
  id: String(seq),
  org,
  type: 'thing.happened',
  topics,
  recordId: null,
  causeId: null,
  at: new Date(0),
  data: {},
})

describe('the event feed of one reader', () => {
  function setUp() {
    const log: OutboxEvent[] = []
    const sent: { type: string; seq: number; topics?: string[] }[] = []
    const reading: (() => void)[] = []
    const feed = createEventFeed({
      org: 'org',
      personId: 'me',
      outlet: {
        send: (m) => void sent.push(m as never),
        sendText: (text) => void sent.push(JSON.parse(text)),
        waitingBytes: () => 0,
      },
      source: {
        head: () => log.length,
        first: async () => 1,
        after: (seq, limit) =>
          new Promise((resolve) => {
            reading.push(() => resolve(log.slice(seq, seq + limit)))
          }),
      },
    })
    const happen = (topics: string[], org?: string) => {
      const one = event(log.length + 1, topics, org)
      log.push(one)
      feed.hear([one])
    }
    return { feed, happen, sent, reading, seqs: () => sent.filter((m) => m.type === 'event').map((m) => m.seq) }
  }

  it('tells only topics that it subscribed, of its own organisation, its inbox as inbox:me', async () => {
    const { feed, happen, sent } = setUp()
    await feed.subscribe(['a', 'inbox:me'], undefined)
    happen(['a', 'b'])
    happen(['b'])
    happen(['a'], 'other')
    happen(['inbox:me', 'inbox:you'])
    happen(['inbox:me'])
    expect(sent.map(({ seq, topics }) => [seq, topics])).toEqual([
      [1, ['a']],
      [4, ['inbox:me']],
      [5, ['inbox:me']],
    ])
  })

  it('while it is read back, what happens comes after, once and in order', async () => {
    const { feed, happen, reading, seqs } = setUp()
    for (let i = 0; i < 3; i++) happen(['a'])
    const done = feed.subscribe(['a'], 1)
    await vi.waitFor(() => expect(reading.length).toBe(1))
    happen(['a'])
    reading.shift()?.()
    await done
    happen(['a'])
    expect(seqs()).toEqual([2, 3, 4, 5])
  })

  it('adds a topic from the past without telling again what it already told', async () => {
    const { feed, happen, reading, seqs } = setUp()
    await feed.subscribe(['a'], undefined)
    happen(['a'])
    happen(['b'])
    happen(['a', 'b'])
    const done = feed.subscribe(['b'], 0)
    await vi.waitFor(() => expect(reading.length).toBe(1))
    reading.shift()?.()
    await done
    expect(seqs().filter((seq) => seq === 2)).toEqual([2])
    expect(seqs().slice(0, 2)).toEqual([1, 3])
  })

  it('beyond the window says resync and goes on with what is new', async () => {
    const { feed, happen, sent, seqs } = setUp()
    happen(['a'])
    await feed.subscribe(['a'], 99)
    expect(sent).toEqual([{ type: 'resync', seq: 1 }])
    happen(['a'])
    expect(seqs()).toEqual([2])
  })
})

describe('the value feed of one reader', () => {
  const value = (path: string, v: number): SourceValue => ({
    path,
    value: v,
    quality: 192,
    sourceAt: 0,
    isStale: false,
  })

  function setUp() {
    let hear: (values: readonly SourceValue[]) => void = () => {}
    const source: ValueSource = {
      present: async (paths) => paths.map((path) => value(path, 0)),
      subscribe: (_paths, listener) => {
        hear = listener
        return () => {}
      },
      organisationOf: async (path) => (path.startsWith('mine/') ? 'org' : 'other'),
    }
    const sent: { items: { path: string; value: unknown }[] }[] = []
    let waiting = 0
    const outlet = {
      send: (m: object) => void sent.push(m as never),
      sendText: (text: string) => void sent.push(JSON.parse(text)),
      waitingBytes: () => waiting,
    }
    const slices = createSlices({ nextTurn: (run) => run() })
    const feedOn = (on: ValueSource) => createValueFeeds({ source: on, slices }).open('org', outlet)
    const feed = feedOn(source)
    const slow = (bytes: number) => {
      waiting = bytes
    }
    return { feed, feedOn, source, sent, hear: (values: SourceValue[]) => hear(values), slow }
  }

  it('tells the present values of its own tags at once, then the last one of each within a moment', async () => {
    vi.useFakeTimers()
    const { feed, sent, hear } = setUp()
    feed.watch(['mine/a', 'theirs/b'])
    await vi.advanceTimersByTimeAsync(0)
    expect(sent.map((m) => m.items.map((i) => i.path))).toEqual([['mine/a']])
    for (let i = 1; i <= 100; i++) hear([value('mine/a', i)])
    vi.advanceTimersByTime(60)
    expect(sent.at(-1)?.items).toMatchObject([{ path: 'mine/a', value: 100, quality: 'good' }])
    expect(sent.length).toBe(2)
    feed.close()
    vi.useRealTimers()
  })

  it('of a slow reader keeps one value a tag and sends it when there is room again', async () => {
    vi.useFakeTimers()
    const { feed, sent, hear, slow } = setUp()
    feed.watch(['mine/a'])
    await vi.advanceTimersByTimeAsync(0)
    slow(10_000_000)
    for (let i = 1; i <= 1_000; i++) hear([value('mine/a', i)])
    vi.advanceTimersByTime(5_000)
    expect(sent.length).toBe(1)
    slow(0)
    vi.advanceTimersByTime(60)
    expect(sent.map((m) => m.items[0]?.value)).toEqual([0, 1_000])
    feed.close()
    vi.useRealTimers()
  })

  it('keeps what changed while it asked for the present values, and asks again when nobody answered', async () => {
    vi.useFakeTimers()
    const answers: (() => void)[] = []
    let fails = 1
    const { source, sent, hear, feedOn } = setUp()
    const feed = feedOn({
      ...source,
      async present(paths) {
        if (fails-- > 0) throw new Error('away')
        await new Promise<void>((resolve) => answers.push(resolve))
        return source.present(paths)
      },
    })
    feed.watch(['mine/a'])
    await vi.advanceTimersByTimeAsync(1000)
    hear([value('mine/a', 7)])
    answers[0]?.()
    await vi.advanceTimersByTimeAsync(60)
    expect(sent.map((m) => m.items[0]?.value)).toEqual([7])
    feed.close()
    vi.useRealTimers()
  })

  it('of many readers asks the source once for a tag, and lets it go with the last of them', async () => {
    vi.useFakeTimers()
    const [asked, listening]: [string[][], Set<string>] = [[], new Set()]
    let hear: (values: readonly SourceValue[]) => void = () => {}
    const feeds = createValueFeeds({
      slices: createSlices({ nextTurn: (run) => run() }),
      source: {
        async present(paths) {
          asked.push([...paths])
          return paths.map((path) => value(path, 1))
        },
        subscribe(paths, listener) {
          hear = listener
          for (const path of paths) listening.add(path)
          return () => void [...paths].map((path) => listening.delete(path))
        },
        organisationOf: async () => 'org',
      },
    })
    const readers = Array.from({ length: 100 }, () => {
      const sent: string[] = []
      const outlet = { send: () => {}, sendText: (text: string) => void sent.push(text), waitingBytes: () => 0 }
      return { sent, feed: feeds.open('org', outlet) }
    })
    for (const { feed } of readers) feed.watch(['a', 'b'])
    await vi.advanceTimersByTimeAsync(60)
    readers[0]?.feed.watch(['b'])
    readers[0]?.feed.watch(['a', 'b'])
    await vi.advanceTimersByTimeAsync(60)
    expect(asked).toEqual([['a', 'b']])
    hear([value('a', 2)])
    await vi.advanceTimersByTimeAsync(60)
    const last = readers.map(({ sent }) => JSON.parse(sent.at(-1) ?? '{}').items)
    expect(last).toEqual(Array(100).fill([expect.objectContaining({ path: 'a', value: 2 })]))
    expect([...listening]).toEqual(['a', 'b'])
    for (const { feed } of readers) feed.close()
    expect(listening.size).toBe(0)
    vi.useRealTimers()
  })

  it('sends every digit of a long integer, and nothing for what is no number', () => {
    expect(wireValue(9_007_199_254_740_993n)).toBe('9007199254740993')
    expect(wireValue(12n)).toBe(12)
    expect(wireValue(Number.NaN)).toBeNull()
  })
})
