import { parseArgs } from 'node:util'
import { fuzzHost } from '#tests/support/host-fuzz.ts'
import { startLoopPipeline } from '#tests/support/loop-pipeline.ts'

/** Fuzzes the host on demand: node tests/bench/fuzz-host.ts [--messages 10000000] [--seed N]; prints one JSON line. */
const { values } = parseArgs({ options: { messages: { type: 'string' }, seed: { type: 'string' } } })
const seed = Number(values.seed ?? Date.now() % 2 ** 32)
process.stdout.write(`seed ${seed}\n`)
const loop = await startLoopPipeline({ reorderMs: 100 })
try {
  const result = await fuzzHost(loop, Number(values.messages ?? 10_000_000), seed)
  process.stdout.write(`${JSON.stringify(result)}\n`)
} finally {
  await loop.close()
}
