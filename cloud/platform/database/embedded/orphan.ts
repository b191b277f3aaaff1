import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { DatabaseRefusal } from '../refusal.ts'

/**
 * Clears the way into a data directory that this process has locked: a server left over from a killed parent is stopped
 * (fast shutdown), a stale `postmaster.pid` is removed once nothing works in the directory any more.
 */
export async function clearOrphan(dataDir: string): Promise<'none' | 'stale file' | 'stopped'> {
  const file = join(dataDir, 'postmaster.pid')
  if (!existsSync(file)) return 'none'
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
  if (pid > 0 && isAlive(pid) && worksIn(pid, dataDir)) {
    await stop(pid, dataDir)
    return 'stopped'
  }
  await untilNobodyWorksIn(dataDir)
  rmSync(file, { force: true })
  return 'stale file'
}

/** False for a process that is gone or a zombie. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** The server enters its data directory; its command line tells where that is to those who may not look. */
function worksIn(pid: number, dataDir: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === dataDir
  } catch {
    return commandLine(pid).includes(dataDir)
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

async function stop(pid: number, dataDir: string): Promise<void> {
  for (const [signal, patienceMs] of [
    ['SIGINT', 10_000],
    ['SIGQUIT', 5_000],
  ] as const) {
    signalOrRefuse(pid, signal, dataDir)
    if (await goneWithin(pid, patienceMs)) return untilNobodyWorksIn(dataDir)
  }
  throw new DatabaseRefusal(`The PostgreSQL server ${pid} works in ${dataDir} and does not stop. Stop it by hand.`)
}

function signalOrRefuse(pid: number, signal: NodeJS.Signals, dataDir: string): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return
    throw new DatabaseRefusal(
      `Another user's PostgreSQL server (process ${pid}) works in ${dataDir}. Stop it, or choose another ANDON_DATA.`,
      { cause: error },
    )
  }
}

async function goneWithin(pid: number, patienceMs: number): Promise<boolean> {
  const until = performance.now() + patienceMs
  while (isAlive(pid)) {
    if (performance.now() > until) return false
    await wait(10)
  }
  return true
}

/** Children of a killed server finish on their own within moments. */
async function untilNobodyWorksIn(dataDir: string): Promise<void> {
  const until = performance.now() + 5_000
  for (;;) {
    const left = processes().filter((pid) => isAlive(pid) && worksInExactly(pid, dataDir))
    if (left.length === 0) return
    if (performance.now() > until) {
      throw new DatabaseRefusal(`Processes ${left.join(', ')} still work in ${dataDir}. Stop them first.`)
    }
    await wait(20)
  }
}

const processes = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

function worksInExactly(pid: number, dataDir: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === dataDir
  } catch {
    return false
  }
}
