import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LedgerLine } from '#devices/simulators/ledger.ts'
import type { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import type { ServerMessage } from '#shared/contracts/stream.ts'
import { startDemo } from '#tests/support/demo.ts'
import { type Bench, type BenchResult, percentile } from './bench.ts'

const PLANT = fileURLToPath(new URL('plants/latency.yaml', import.meta.url))
const LEAST_SAMPLES = 1000

interface Seen {
  readonly tag: string
  readonly sourceAt: number
  readonly seenAt: number
}

/** Alarm latency: the simulator answers the poll that first carries the changed register → event on the browser's stream. */
export const bench: Bench = {
  name: 'latency',
  summary: "simulator's answer → alarm event on the browser stream",
  seconds: 120,
  run: async ({ seconds, data, say }) => {
    const demo = await startDemo({
      plant: PLANT,
      ...(data ? { data } : {}),
      args: ['--ledger', join(data ?? '/tmp', `latency-${process.pid}.ledger`)],
    })
    const ledger = join(data ?? '/tmp', `latency-${process.pid}.ledger`)
    const seen: Seen[] = []
    const operator = await demo.signIn('operator')
    await operator.until('the first alarm', async () => operator.messages.some(isActivation))
    const stop = operator.onMessage((message) => {
      if (!isActivation(message)) return
      const event = message.data as unknown as AlarmEvent
      seen.push({ tag: event.tag, sourceAt: event.eventAt, seenAt: performance.timeOrigin + performance.now() })
    })
    say(`watching alarms for ${seconds} s`)
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    stop()
    operator.close()
    await demo.stop()
    const result = match(readLedger(ledger), seen)
    if (!data) demo.remove()
    return result
  },
}

const isActivation = (message: ServerMessage): message is Extract<ServerMessage, { type: 'event' }> =>
  message.type === 'event' && message.event === 'alarm.changed' && message.data.transition === 'activated'

/** When each rising edge of each tag was first answered, ms since 1970. */
function readLedger(file: string): Map<string, number[]> {
  const rises = new Map<string, number[]>()
  for (const line of readFileSync(file, 'utf8').trimEnd().split('\n')) {
    const entry = JSON.parse(line) as LedgerLine
    if (entry.kind !== 'answered' || !Number(entry.value)) continue
    rises.set(entry.tag, [...(rises.get(entry.tag) ?? []), entry.answeredAt])
  }
  return rises
}

/** Pairs each event with the answer nearest to its event time: the edge stamps a sample when the answer arrives. */
function match(rises: ReadonlyMap<string, readonly number[]>, seen: readonly Seen[]): BenchResult {
  const latencies = seen.flatMap(({ tag, sourceAt, seenAt }) => {
    const answers = rises.get(tag) ?? []
    const distance = (at: number) => Math.abs(at - sourceAt)
    const answeredAt = answers.reduce<number | undefined>(
      (best, at) => (best === undefined || distance(at) < distance(best) ? at : best),
      undefined,
    )
    return answeredAt === undefined ? [] : [seenAt - answeredAt]
  })
  if (latencies.length < seen.length)
    throw new Error(`${seen.length - latencies.length} alarms match no answered change`)
  const round = (ms: number) => Math.round(ms * 10) / 10
  return {
    samples: latencies.length,
    isEnough: latencies.length >= LEAST_SAMPLES,
    p50Ms: round(percentile(latencies, 0.5)),
    p99Ms: round(percentile(latencies, 0.99)),
    maxMs: round(Math.max(...latencies)),
  }
}
