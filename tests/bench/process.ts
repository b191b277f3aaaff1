import { readdirSync, readFileSync } from 'node:fs'

const TICK_MICROS = 10_000

/** CPU time of a process since its start with its children that ended, µs; 0 when it is gone. */
export function cpuOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at] ?? 0), 0) * TICK_MICROS
}

/** CPU time of a process by thread, µs since its start. */
export function threadsOf(pid: number): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const stat = read(`/proc/${pid}/task/${task}/stat`)
    const name = Number(task) === pid ? 'main' : stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    sums[name] = (sums[name] ?? 0) + (Number(fields[11]) + Number(fields[12])) * TICK_MICROS
  }
  return sums
}

/** Proportional set size of a process, KB; 0 when it is gone. */
export const pssOf = (pid: number): number => Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0)

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
