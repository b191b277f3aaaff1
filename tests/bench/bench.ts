import { cpus } from 'node:os'

/** What a benchmark is told. */
export interface BenchOptions {
  /** Length of the measured part. */
  readonly seconds: number
  /** Where it may keep data; a directory of its own unless told. */
  readonly data?: string
  /** Load per second that is offered, where a benchmark offers any. */
  readonly rate?: number
  /** How often something is done, where a benchmark counts so; and what its choices follow from. */
  readonly rounds?: number
  readonly seed?: number
  /** One line for the person at the terminal. */
  readonly say: (line: string) => void
}

/** Fields of the last line, beside the bench's name, its length and the machine. */
export type BenchResult = Readonly<Record<string, number | string | boolean | object>>

export interface Bench {
  readonly name: string
  readonly summary: string
  /** Length when `--seconds` is not given. */
  readonly seconds: number
  run(options: BenchOptions): Promise<BenchResult>
}

/** The machine, as every result names it. */
export function machine(): { cpu: string; cores: number; node: string } {
  const all = cpus()
  return { cpu: all[0]?.model ?? 'unknown', cores: all.length, node: process.version }
}

/** The value below which the share `p` (0–1) of the values lies; nearest rank. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN
}
