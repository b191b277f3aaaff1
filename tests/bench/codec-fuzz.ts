/** `node tests/bench/codec-fuzz.ts [--count N] [--seed N]`: the codec under 10 million damaged and random payloads. */
import { parseArgs } from 'node:util'
import { fuzz } from '#tests/conformance/sparkplug/codec-fuzz.ts'

const { values } = parseArgs({ options: { count: { type: 'string' }, seed: { type: 'string' } } })
const count = Number(values.count ?? 10_000_000)
const seed = Number(values.seed ?? Date.now() % 2 ** 32)

process.stderr.write(`seed ${seed}\n`)
const startedAt = performance.now()
const result = fuzz(count, seed, (done) => void process.stderr.write(`\r${done} of ${count}`))
const seconds = Math.round((performance.now() - startedAt) / 100) / 10
process.stdout.write(`\n${JSON.stringify({ bench: 'codec-fuzz', seed, seconds, ...result })}\n`)
