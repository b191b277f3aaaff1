import { statfsSync } from 'node:fs'
import type { StoreOptions } from './store.ts'

/** Looks after the free space of the history's disk. */
export interface DiskWatch {
  /** @throws Error when so little is left that a commit could fill the disk, which ends the database. */
  assertSpace(): void
  close(): void
}

const EVERY_MS = 2000
/** Share of the low mark below which nothing is committed. */
const STOP_SHARE = 0.25

/** Starts looking; `tell` hears of each change what is wrong, in words with the next step. */
export function watchDisk(
  { dir, lowSpaceBytes }: Pick<StoreOptions, 'dir' | 'lowSpaceBytes'>,
  tell: (faults: readonly string[]) => void,
): DiskWatch {
  let free = freeBytes(dir)
  let told = ''
  const look = () => {
    free = freeBytes(dir)
    const fault = faultOf(free, dir, lowSpaceBytes)
    // The number in the words changes all the time; only a change of state is told.
    const state = fault?.state ?? ''
    if (state !== told) tell(fault ? [fault.words] : [])
    told = state
  }
  look()
  const timer = setInterval(look, EVERY_MS)
  return {
    assertSpace() {
      const fault = faultOf(free, dir, lowSpaceBytes)
      if (fault?.state === 'full') throw new Error(fault.words)
    },
    close: () => clearInterval(timer),
  }
}

const freeBytes = (dir: string): number => {
  const { bavail, bsize } = statfsSync(dir)
  return bavail * bsize
}

function faultOf(free: number, dir: string, low: number): { state: 'low' | 'full'; words: string } | undefined {
  const left = `${Math.floor(free / 2 ** 20)} MB are free on the disk of ${dir}`
  if (free < low * STOP_SHARE) {
    return { state: 'full', words: `History takes nothing more: ${left}. The edges keep their samples; make space` }
  }
  if (free < low)
    return { state: 'low', words: `History will soon take nothing more: ${left}. Make space or shorten retention` }
  return undefined
}
