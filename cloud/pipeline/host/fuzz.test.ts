import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fuzzHost } from '#tests/support/host-fuzz.ts'
import { type LoopPipeline, startLoopPipeline } from '#tests/support/loop-pipeline.ts'

const MESSAGES = 200_000

describe('200,000 random and mutated payloads', () => {
  let loop: LoopPipeline
  beforeAll(async () => {
    loop = await startLoopPipeline({ reorderMs: 100 })
  })
  afterAll(() => loop.close())

  it('crash nothing, stall nothing, and cost another edge no value', async () => {
    const seed = Date.now() % 2 ** 32
    const result = await fuzzHost(loop, MESSAGES, seed).catch((cause: Error) => {
      throw new Error(`node tests/bench/fuzz-host.ts --messages ${MESSAGES} --seed ${seed}: ${cause.message}`, {
        cause,
      })
    })
    expect(result.rejected).toBeGreaterThan(MESSAGES / 10)
    // A busy machine's database takes fewer births in the same time.
    expect(result.messages - result.dropped).toBeGreaterThan(MESSAGES / 10)
  }, 120_000)
})
