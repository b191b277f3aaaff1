import { parseArgs } from 'node:util'
import type { Bench } from '#tests/bench/bench.ts'
import { runBench } from './bench/run.ts'
import { type Command, numberOption, UsageError } from './command.ts'

const BENCHES: Record<string, () => Promise<{ bench: Bench }>> = {
  chaos: () => import('#tests/bench/chaos.ts'),
  codec: () => import('#tests/bench/codec.ts'),
  'edge-modbus': () => import('#tests/bench/edge-modbus.ts'),
  'edge-journal': () => import('#tests/bench/edge-journal.ts'),
  'edge-opcua': () => import('#tests/bench/edge-opcua.ts'),
  edges: () => import('#tests/bench/edges.ts'),
  export: () => import('#tests/bench/export.ts'),
  history: () => import('#tests/bench/history.ts'),
  'history-feed': () => import('#tests/bench/history-feed.ts'),
  ingest: () => import('#tests/bench/ingest.ts'),
  latency: () => import('#tests/bench/latency.ts'),
  'rebirth-storm': () => import('#tests/bench/rebirth-storm.ts'),
  shards: () => import('#tests/bench/shards.ts'),
  subscribers: () => import('#tests/bench/subscribers.ts'),
}

/** `andon bench NAME`: runs a benchmark and prints its figures. */
export const command: Command = {
  help: `usage: andon bench NAME [--json] [--seconds N] [--data DIR]

  ingest     values from MQTT to durable history, against a ledger (600 s)
  history    size and answers of 1,000 tags at 1 Hz: 30 days, below 600 s one day (600 s)
  history-feed  the historian alone at --rate values/s of 100,000 tags (600 s)
  codec      payload ↔ values, CPU a metric, 100 doubles a payload (10 s)
  latency    the simulator's answer → alarm event on the browser stream (120 s)
  edge-modbus  100,000 floats a second over Modbus into journal and uplink, and four other loads (60 s each)
  edge-journal  samples into the edge's journal (--rate), --rounds kills against a ledger, replay behind live values (20 s)
  edge-opcua  20,000 changes a second over OPC UA into journal and uplink, values compared (60 s; --rate changes/s)
  edges      10,000 edges connected and idle: memory of the cloud, over TCP and TLS (20 s each)
  export     a day of 500 tags at 1 Hz (under 60 s a part of it) as CSV and Parquet: rate, memory, turns of the thread
  rebirth-storm  1,000 edges born at once, three times, while others stream (about 30 s)
  shards     take-over between two machine sides, by kill -9 and by SIGSTOP, against a ledger (60 s)
  subscribers  10,000 WebSocket clients with ten live values a second each (60 s)
  chaos      kill -9 of random processes under load: history, alarm log and pages against a ledger (200 rounds)

  --json       print one JSON object as the last line
  --seconds N  length of the measured part
  --rate N     load per second that is offered (ingest: values)
  --rounds N   kills (chaos, edge-journal)
  --seed N     what random choices follow from (chaos); printed, so that a run can be repeated
  --data DIR   where it may keep data

Ends with 1 when a value is lost, there twice or changed, and when nothing was compared; never for its speed.`,

  run: async (args) => {
    const { name, json, ...given } = parse(args)
    const load = BENCHES[name]
    if (!load) throw new UsageError(`there is no bench '${name}': ${Object.keys(BENCHES).join(', ')}`)
    const { bench } = await load()
    const say = (line: string) => void process.stderr.write(`${line}\n`)
    return runBench(bench, { ...given, json, say, print: (text) => void process.stdout.write(text) })
  },
}

function parse(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      seconds: { type: 'string' },
      rate: { type: 'string' },
      rounds: { type: 'string' },
      seed: { type: 'string' },
      data: { type: 'string' },
    },
  })
  const { json = false, data } = values
  const numbers = {
    ...{ ...positive('seconds', values.seconds), ...positive('rate', values.rate) },
    ...{ ...positive('rounds', values.rounds), ...positive('seed', values.seed) },
  }
  return { name: positionals[0] ?? '', json, ...(data ? { data } : {}), ...numbers }
}

function positive<Name extends string>(name: Name, text: string | undefined): { readonly [N in Name]?: number } {
  if (text === undefined) return {}
  return { [name]: numberOption(name, text) } as { readonly [N in Name]: number }
}
