import { type Bench, type BenchOptions, machine } from '#tests/bench/bench.ts'
import { failuresOf } from './verdict.ts'

export interface BenchRun extends Omit<BenchOptions, 'seconds'> {
  /** The bench's own length unless told. */
  readonly seconds?: number
  /** One object on one line rather than over many. */
  readonly json: boolean
  readonly print: (text: string) => void
}

/** Runs a benchmark and prints its figures, those of a failure too. Resolves with the exit code: 1 when anything was lost or nothing compared. */
export async function runBench(bench: Bench, { json, print, ...given }: BenchRun): Promise<number> {
  const { seconds = bench.seconds, say, ...rest } = given
  const result = await bench.run({ seconds, say, ...rest })
  const full = { bench: bench.name, seconds, machine: machine(), ...result }
  print(json ? `${JSON.stringify(full)}\n` : `${JSON.stringify(full, null, 2)}\n`)
  const failures = failuresOf(result)
  for (const failure of failures) say(`andon bench ${bench.name}: ${failure}`)
  return failures.length === 0 ? 0 : 1
}
