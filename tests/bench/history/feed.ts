import type { NumberColumns } from '#cloud/pipeline/historian/batch.ts'
import type { Historian } from '#cloud/pipeline/historian/historian.ts'

const JOURNAL = { group: 'bench', edge: 'bench', epoch: 1n }

/** Commits columns one after the other, with the range of offsets that an edge would have given them, from `first` on. */
export function committer(historian: Historian, first = 1n): (numbers: NumberColumns) => Promise<void> {
  let next = first
  return async (numbers) => {
    const last = next + BigInt(numbers.count) - 1n
    const marks = [{ ...JOURNAL, ranges: `${first}-${last}` }]
    next = last + 1n
    await historian.commit({ numbers, wide: [], marks, gaps: [] })
  }
}

/** CPU of the process but for the calling thread, which is the load: µs. */
export function productCpu(): number {
  const all = process.cpuUsage()
  const own = process.threadCpuUsage()
  return all.user + all.system - own.user - own.system
}

/** The most memory that the process had so far, in MB. */
export const peakRssMb = (): number => Math.round(process.resourceUsage().maxRSS / 1024)

export const round = (value: number, digits = 1): number => Number(value.toFixed(digits))
