import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

/** Process ids of a demo: its own, and by name those of the parts that it started last. */
interface Family {
  readonly demo: number
  readonly parts: Readonly<Record<string, number>>
}

/** Parts of a demo that was killed end by themselves: a cloud that writes out its history may take this long, ms. */
const ENDS_WITHIN_MS = 25_000
const LOOK_EVERY_MS = 100

/** Notes each part's process id in a file, for the next start. */
export function keepFamily(file: string): (name: string, pid: number) => void {
  let parts: Family['parts'] = {}
  return (name, pid) => {
    parts = { ...parts, [name]: pid }
    writeFileSync(file, JSON.stringify({ demo: process.pid, parts } satisfies Family), { mode: 0o600 })
  }
}

/**
 * Resolves when the parts of an earlier demo are gone, which end by themselves when they have lost it: until then they hold
 * the ports and the data. Gives up after 25 s, or at once when that demo still runs: the locks of the data say so then.
 */
export async function earlierPartsEnded(file: string, onWait: () => void): Promise<void> {
  const family = readFamily(file)
  if (!family || isRunning(family.demo)) return
  const orphans = () => Object.values(family.parts).filter(isRunning)
  if (orphans().length === 0) return
  onWait()
  const until = performance.now() + ENDS_WITHIN_MS
  while (orphans().length > 0 && performance.now() < until) await wait(LOOK_EVERY_MS)
}

function readFamily(file: string): Family | undefined {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Family
  } catch {
    // Cut off by a kill.
    return undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
