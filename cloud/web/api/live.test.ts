import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nounsOf, refresher } from './live.ts'

describe('an event of the stream', () => {
  it('names each list that it may change once', () => {
    expect(nounsOf({ topics: ['alarms', 'incidents'] }).filter((noun) => noun === 'timeline')).toHaveLength(1)
  })

  it('reaches the open room of its channel', () => {
    expect(nounsOf({ topics: ['channel:0198'] })).toContain('messages')
  })

  it('changes nothing when its topic is unknown', () => {
    expect(nounsOf({ topics: ['weather'] })).toEqual([])
  })
})

describe('reading again after events', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('happens at once when it is quiet and in spaced rounds in a flood', () => {
    const rounds: number[] = []
    const client = {
      invalidateQueries: (filter?: { queryKey?: readonly unknown[] }) => {
        if (filter?.queryKey?.[0] === 'inbox') rounds.push(Date.now())
        return Promise.resolve()
      },
    }
    const live = refresher(client)
    const start = Date.now()
    for (let i = 0; i < 100; i++) {
      live.onEvent({ topics: ['inbox:me'] })
      vi.advanceTimersByTime(10)
    }
    vi.advanceTimersByTime(1000)
    expect(rounds[0]).toBe(start)
    expect(rounds.map((at) => at - start)).toEqual([0, 400, 800, 1200])
  })
})
