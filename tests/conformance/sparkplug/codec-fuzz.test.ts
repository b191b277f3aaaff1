import { describe, expect, it } from 'vitest'
import { fuzz } from './codec-fuzz.ts'

const PAYLOADS = 200_000
/** A good part of the payloads gets through, a good part does not: else only one half of the code was tried. */
const LEAST = PAYLOADS / 20

describe('the codec under damaged and random payloads', () => {
  it('refuses or reads each of 200,000, and never breaks', { timeout: 120_000 }, () => {
    const seed = Date.now() % 2 ** 32
    try {
      const { decoded, columns, refused } = fuzz(PAYLOADS, seed)
      expect(Math.min(decoded, columns, refused)).toBeGreaterThan(LEAST)
    } catch (error) {
      throw new Error(`Seed ${seed}: node tests/bench/codec-fuzz.ts --seed ${seed} --count ${PAYLOADS}`, {
        cause: error,
      })
    }
  })
})
