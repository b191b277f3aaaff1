import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Bench, BenchResult } from './bench.ts'
import { type Connected, GROUP, type Plan } from './edges/plan.ts'
import { type BenchCloud, startBenchCloud } from './ingest/cloud.ts'

const EDGES = 10_000
const GENERATOR = fileURLToPath(new URL('edges/generator.ts', import.meta.url))

/** Memory of the cloud with 10,000 edges connected and idle, over plain TCP and over TLS; the edges are a process of their own. */
export const bench: Bench = {
  name: 'edges',
  summary: '10,000 edges connected and idle: memory of the cloud',
  seconds: 20,
  run: async ({ seconds, say }) => {
    const tcp = await measure(false, seconds)
    say(`plain TCP: ${JSON.stringify(tcp)}`)
    return { edges: EDGES, tcp, tls: await measure(true, seconds) }
  },
}

/** A cloud of its own for each transport, so that what one leaves in memory is not counted for the other. */
async function measure(isTls: boolean, seconds: number): Promise<BenchResult> {
  const dir = mkdtempSync(join(tmpdir(), 'andon-bench-edges-'))
  const tlsPort = await freePort()
  process.env.ANDON_MQTTS_PORT = String(tlsPort)
  const cloud = await startBenchCloud(dir, [{ group: GROUP, edges: EDGES }])
  const load = fork(GENERATOR)
  try {
    await wait(3000)
    load.send({ port: isTls ? tlsPort : cloud.mqttPort, edges: EDGES, isTls } satisfies Plan)
    return await watch(cloud, once(load, 'message') as Promise<[Connected]>, seconds)
  } finally {
    load.kill('SIGKILL')
    await cloud.stop()
    // PostgreSQL may still be writing when the cloud's time to stop was cut short.
    rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 })
  }
}

async function watch(cloud: BenchCloud, told: Promise<[Connected]>, seconds: number): Promise<BenchResult> {
  const [beforeMb, startedAt] = [cloud.pssMb(), performance.now()]
  const [{ connected, failed }] = await Promise.race([told, cloud.ended])
  if (connected < EDGES) throw new Error(`${failed} of ${EDGES} edges could not connect`)
  const connectSeconds = round((performance.now() - startedAt) / 1000)
  const cpuBefore = cloud.cpuMicros()
  let peakMb = 0
  for (let second = 0; second < seconds; second++) {
    await wait(1000)
    peakMb = Math.max(peakMb, cloud.pssMb())
  }
  const idleCores = round((cloud.cpuMicros() - cpuBefore) / (seconds * 1_000_000))
  const pssMb = cloud.pssMb()
  return {
    ...{ connected, connectSeconds, idleCores },
    ...{ pssBeforeMb: round(beforeMb), pssMb: round(pssMb), peakPssMb: round(peakMb) },
    kbPerEdge: round(((pssMb - beforeMb) * 1024) / connected),
  }
}

const round = (value: number): number => Math.round(value * 100) / 100

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((done) => server.close(done))
  return typeof address === 'object' && address ? address.port : 0
}
