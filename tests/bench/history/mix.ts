import type { NumberColumns } from '#cloud/pipeline/historian/batch.ts'
import { GOOD } from '#shared/contracts/sample.ts'

export interface MixOptions {
  readonly tags: number
  /** Number of the first tag. */
  readonly firstTag: number
  readonly periodMs: number
  /** ms since 1970 */
  readonly startAt: number
}

/** Values like a factory's: a third of the tags noisy floats of two decimals, a third slow integers, a third rare booleans. */
export interface Mix {
  /** The next values, all tags in turn, one period after the other. */
  next(count: number): NumberColumns
  /** Time of the next value, ms since 1970. */
  readonly at: number
}

/** Starts the mix; the same options give the same values. */
export function mix({ tags, firstTag, periodMs, startAt }: MixOptions): Mix {
  const value = Float64Array.from({ length: tags }, (_, tag) => (tag % 3 === 0 ? 20 + (tag % 97) : 0))
  let [tag, round, seed] = [0, 0, 0x2545f491]
  const random = () => {
    seed ^= seed << 13
    seed ^= seed >>> 17
    seed ^= seed << 5
    return (seed >>> 0) / 2 ** 32
  }
  const step = () => {
    const now = value[tag] as number
    if (tag % 3 === 0)
      return Math.round((20 + (tag % 97) + 10 * Math.sin((round + tag) / 600) + random() * 2) * 100) / 100
    if (tag % 3 === 1) return random() < 0.02 ? now + 1 : now
    return random() < 0.001 ? 1 - now : now
  }
  return {
    get at() {
      return startAt + round * periodMs
    },
    next(count) {
      const columns = {
        count,
        tag: new Int32Array(count),
        ts: new Float64Array(count),
        v: new Float64Array(count),
        q: new Uint8Array(count).fill(GOOD),
      }
      for (let i = 0; i < count; i++) {
        columns.tag[i] = firstTag + tag
        columns.ts[i] = startAt + round * periodMs
        columns.v[i] = value[tag] = step()
        if (++tag < tags) continue
        tag = 0
        round += 1
      }
      return columns
    },
  }
}
