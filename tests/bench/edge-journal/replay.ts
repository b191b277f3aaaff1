import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { percentile } from '../bench.ts'
import { CountingHost } from './host.ts'

const EDGE = fileURLToPath(new URL('edge.ts', import.meta.url))
const LIVE_PER_SECOND = 5000
const REPLAY_FACTOR = 10
const SETTLE_MS = 3000

export interface Replayed {
  readonly livePerSecond: number
  readonly replayPerSecond: number
  readonly liveP99Ms: number
  readonly liveP99WithBacklogMs: number
}

/** Live values alone, then a cut link, then live values with a backlog behind them at ten times their rate. */
export async function replay(directory: string, seconds: number): Promise<Replayed> {
  const host = new CountingHost()
  await host.start()
  const child = fork(EDGE, [directory, `mqtt://127.0.0.1:${host.port}`, String(LIVE_PER_SECOND)])
  try {
    while (host.live === 0) await wait(50)
    await wait(SETTLE_MS)
    const alone = await measure(host, async () => wait(seconds * 1000))
    host.refuse(true)
    const told = once(child, 'message')
    child.send({ backlog: LIVE_PER_SECOND * REPLAY_FACTOR * (seconds + SETTLE_MS / 1000) })
    await told
    host.refuse(false)
    const before = host.backlog
    while (host.backlog === before) await wait(20)
    await wait(SETTLE_MS)
    const both = await measure(host, () => wait(seconds * 1000))
    return {
      livePerSecond: Math.round(both.live / both.seconds),
      replayPerSecond: Math.round(both.backlog / both.seconds),
      liveP99Ms: percentile(alone.liveMs, 0.99),
      liveP99WithBacklogMs: percentile(both.liveMs, 0.99),
    }
  } finally {
    child.kill('SIGKILL')
    host.stop()
  }
}

async function measure(host: CountingHost, during: () => Promise<unknown>) {
  const [live, backlog, startedAt] = [host.live, host.backlog, performance.now()]
  host.liveMs = []
  await during()
  const seconds = (performance.now() - startedAt) / 1000
  return { live: host.live - live, backlog: host.backlog - backlog, seconds, liveMs: host.liveMs }
}
