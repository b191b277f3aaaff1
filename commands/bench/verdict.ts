import type { BenchResult } from '#tests/bench/bench.ts'

/** Counts of what must not be: values or events that are missing, there twice, or not as they were sent. */
const NONE_OF = [
  ...['lost', 'duplicated', 'wrong', 'pagesMissed', 'pagesTwice'],
  ...['alarmsMissing', 'alarmsTwice', 'alarmsWrong', 'crashLoops'],
] as const

/**
 * Why a benchmark's result is a failure, whatever its speed; empty when it is none. Speed, memory and latency are told and
 * never judged: they are the machine's as much as the product's.
 */
export function failuresOf(result: BenchResult): string[] {
  const counted = NONE_OF.filter((name) => name in result)
  const bad = counted.filter((name) => result[name] !== 0).map((name) => `${name} is ${result[name]}, not 0`)
  const mustCompare = counted.length > 0 || 'compared' in result
  const isCompared = typeof result.compared === 'number' && result.compared > 0
  return mustCompare && !isCompared ? [...bad, 'nothing was compared, so the counts say nothing'] : bad
}
