import { parseArgs } from 'node:util'
import { type Bench, machine } from '#tests/bench/bench.ts'
import { type Command, UsageError } from './command.ts'

const BENCHES: Record<string, () => Promise<{ bench: Bench }>> = {
  latency: () => import('#tests/bench/latency.ts'),
}

/** `andon bench NAME`: runs a benchmark and prints its figures. */
export const command: Command = {
  help: `usage: andon bench NAME [--json] [--seconds N] [--data DIR]

  latency    the simulator's answer → alarm event on the browser stream (120 s)

  --json       print one JSON object as the last line
  --seconds N  length of the measured part
  --data DIR   where it may keep data`,

  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, seconds: { type: 'string' }, data: { type: 'string' } },
    })
    const load = BENCHES[positionals[0] ?? '']
    if (!load) throw new UsageError(`there is no bench '${positionals[0] ?? ''}': ${Object.keys(BENCHES).join(', ')}`)
    const { bench } = await load()
    const seconds = Number(values.seconds ?? bench.seconds)
    if (!(seconds > 0)) throw new UsageError(`--seconds is '${values.seconds}': give a number above 0`)
    const say = (line: string) => void process.stderr.write(`${line}\n`)
    const result = await bench.run({ seconds, say, ...(values.data ? { data: values.data } : {}) })
    const full = { bench: bench.name, seconds, machine: machine(), ...result }
    process.stdout.write(values.json ? `${JSON.stringify(full)}\n` : `${JSON.stringify(full, null, 2)}\n`)
    return 0
  },
}
