import { describe, expect, it } from 'vitest'
import { createTurns, type TurnOptions } from './turns.ts'

const PATIENT: TurnOptions = { running: 2, runningOfOne: 2, waiting: 5, waitingOfOne: 3, patienceMs: 60_000 }

/** Questions that end when a test says so, in turns. */
function asked(options: TurnOptions) {
  const turns = createTurns(options)
  const begun: string[] = []
  const open = new Map<string, PromiseWithResolvers<string>>()
  return {
    begun,
    ask(asker: string, name: string): Promise<string> {
      return turns.take(asker, () => {
        begun.push(name)
        open.set(name, Promise.withResolvers<string>())
        return open.get(name)?.promise ?? Promise.reject(new Error(name))
      })
    },
    end: (name: string) => open.get(name)?.resolve(name),
    fail: (name: string) => open.get(name)?.reject(new Error(name)),
  }
}

describe('questions in turns', () => {
  it('run so many at once; the others follow as places come free, also by a failure', async () => {
    const { begun, ask, end, fail } = asked(PATIENT)
    const all = ['1', '2', '3', '4'].map((name) => ask('ann', name))
    expect(begun).toEqual(['1', '2'])
    fail('1')
    await expect(all[0]).rejects.toThrow('1')
    expect(begun).toEqual(['1', '2', '3'])
    end('3')
    await all[2]
    expect(begun).toEqual(['1', '2', '3', '4'])
    end('2')
    end('4')
    expect(await Promise.all([all[1], all[3]])).toEqual(['2', '4'])
    void ask('ann', '5')
    void ask('ann', '6')
    void ask('ann', '7')
    expect(begun.slice(4)).toEqual(['5', '6'])
  })

  it('go round the askers, so that one with many holds nobody up', async () => {
    const { begun, ask, end } = asked({ ...PATIENT, running: 1 })
    const all = [ask('ann', 'a1'), ask('ann', 'a2'), ask('ann', 'a3'), ask('ben', 'b1'), ask('cid', 'c1')]
    for (let i = 0; i < all.length; i++) {
      const name = begun[i] ?? ''
      end(name)
      await all[['a1', 'a2', 'a3', 'b1', 'c1'].indexOf(name)]
    }
    expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3'])
  })

  it('leave places free that one asker may not take', async () => {
    const { begun, ask, end } = asked({ ...PATIENT, runningOfOne: 1 })
    const all = [ask('ann', 'a1'), ask('ann', 'a2'), ask('ben', 'b1'), ask('ben', 'b2')]
    expect(begun).toEqual(['a1', 'b1'])
    end('b1')
    await all[2]
    expect(begun).toEqual(['a1', 'b1', 'b2'])
    end('a1')
    await all[0]
    expect(begun).toEqual(['a1', 'b1', 'b2', 'a2'])
  })

  it('are refused beyond what may wait, of one asker and in all, with when to ask again', async () => {
    const { ask } = asked({ ...PATIENT, running: 1 })
    for (let i = 0; i < 4; i++) void ask('ann', `a${i}`)
    await expect(ask('ann', 'more')).rejects.toMatchObject({ kind: 'too-many', code: 'history.busy' })
    void ask('ben', 'b1')
    void ask('ben', 'b2')
    await expect(ask('ben', 'more')).rejects.toMatchObject({
      ...{ kind: 'unavailable', code: 'history.busy', retryAfterSeconds: 5 },
    })
  })

  it('are refused when their turn does not come in time, and are then never asked', async () => {
    const { begun, ask, end } = asked({ ...PATIENT, running: 1, patienceMs: 1 })
    const first = ask('ann', 'a1')
    await expect(ask('ann', 'a2')).rejects.toMatchObject({ kind: 'unavailable', code: 'history.busy' })
    end('a1')
    await first
    const next = ask('ann', 'a3')
    expect(begun).toEqual(['a1', 'a3'])
    end('a3')
    expect(await next).toBe('a3')
  })
})
