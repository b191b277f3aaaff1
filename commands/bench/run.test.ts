import { describe, expect, it } from 'vitest'
import type { BenchResult } from '#tests/bench/bench.ts'
import { runBench } from './run.ts'

async function ran(result: BenchResult) {
  const [said, printed]: [string[], string[]] = [[], []]
  const code = await runBench(
    { name: 'given', summary: 'figures of a test', seconds: 7, run: async () => result },
    { json: true, say: (line) => said.push(line), print: (text) => printed.push(text) },
  )
  return { code, said, printed }
}

describe('the exit code of a benchmark', () => {
  it('is 0 when everything was compared and nothing is missing', async () => {
    expect(await ran({ lost: 0, duplicated: 0, wrong: 0, compared: 10 })).toMatchObject({ code: 0, said: [] })
  })

  it.each(['lost', 'duplicated', 'wrong', 'pagesMissed', 'pagesTwice'])(
    'is 1 when any value or page is %s, and the figures are printed all the same',
    async (name) => {
      const { code, said, printed } = await ran({ compared: 10, [name]: 2 })
      expect(code).toBe(1)
      expect(said).toEqual([`andon bench given: ${name} is 2, not 0`])
      expect(JSON.parse(printed.join(''))).toMatchObject({ bench: 'given', seconds: 7, [name]: 2 })
    },
  )

  it('is 1 when nothing was compared', async () => {
    const empty: BenchResult[] = [{ lost: 0 }, { lost: 0, compared: 0 }, { compared: 0 }, { lost: 0, compared: NaN }]
    for (const result of empty) {
      expect(await ran(result)).toMatchObject({ code: 1, said: [expect.stringContaining('nothing was compared')] })
    }
  })

  it('is 1 when a count is no number', async () => {
    expect((await ran({ lost: Number.NaN, compared: 1 })).code).toBe(1)
  })

  it('says nothing about speed', async () => {
    expect(await ran({ valuesPerSecond: 1, alarmP99Ms: 1e9 })).toMatchObject({ code: 0, said: [] })
  })
})
