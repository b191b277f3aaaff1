import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { HostLimits } from '#cloud/pipeline/host/host-context.ts'
import { type Pipeline, startPipeline } from '#cloud/pipeline/index.ts'
import { silentLog } from '#shared/log/log.ts'
import { type LoopBroker, loopBroker } from './loop-broker.ts'
import { startTestDatabase, type TestDatabase } from './postgres.ts'
import { type ProtoMetric, type ProtoPayloadObject, protoEncode } from './sparkplug-decoder.ts'
import type { EdgeMessage } from './wire-edge.ts'

const PROFILES = fileURLToPath(new URL('../../devices/profiles', import.meta.url))

/** The whole pipeline on a broker without wires, with a clock that a test moves. */
export interface LoopPipeline {
  readonly pipeline: Pipeline
  readonly broker: LoopBroker
  readonly database: TestDatabase
  readonly org: string
  /** ms since 1970 on the host's clock. */
  readonly now: () => number
  /** Moves the host's clock on. */
  pass(ms: number): void
  /** Sum of a counter; with `label`, of that value of any of its labels. */
  counted(name: string, label?: string): number
  /** Called with each count before it is taken; what it throws is a fault of the host's surroundings. */
  onCount: ((name: string, labels: Readonly<Record<string, string>>) => void) | undefined
  /** Registers an edge and answers its voice. */
  edge(group: string, edge: string): Promise<LoopEdge>
  restart(): Promise<void>
  close(): Promise<void>
}

/** An edge that says exactly what a test tells it. */
export interface LoopEdge {
  /** Number of the next message. */
  seq: number
  /** A payload as it is. */
  send(message: EdgeMessage, payload: ProtoPayloadObject, device?: string): void
  /** Metrics, with time and sequence number; NBIRTH starts at 0. */
  say(message: EdgeMessage, metrics: readonly ProtoMetric[], device?: string): void
}

/** Starts it. */
export async function startLoopPipeline(limits: Partial<HostLimits> = {}): Promise<LoopPipeline> {
  const database = await startTestDatabase()
  const org = await database.newOrg()
  const dir = mkdtempSync(join(tmpdir(), 'andon-loop-'))
  const counts = new Map<string, number>()
  let skew = 0
  const now = () => Date.now() + skew
  const add = (name: string, by: number, labels: Readonly<Record<string, string>> = {}) => {
    self.onCount?.(name, labels)
    for (const key of [name, ...Object.values(labels).map((value) => `${name} ${value}`)]) {
      counts.set(key, (counts.get(key) ?? 0) + by)
    }
  }
  const open = async () => {
    const broker = loopBroker()
    const pipeline = await startPipeline({
      db: database.db,
      dataDir: dir,
      profilesDir: PROFILES,
      mqtt: { host: '127.0.0.1', port: 0 },
      clock: now,
      log: silentLog,
      metrics: { count: add, gauge: () => undefined },
      limits,
      openBroker: async () => broker,
    })
    return { broker, pipeline }
  }
  const self: LoopPipeline = {
    onCount: undefined,
    database,
    org,
    now,
    get pipeline() {
      return current.pipeline
    },
    get broker() {
      return current.broker
    },
    pass(ms) {
      skew += ms
    },
    counted: (name, label) => counts.get(label === undefined ? name : `${name} ${label}`) ?? 0,
    async edge(group, edge) {
      await current.pipeline.registerEdge({ org, group, edge, secretHash: 'none' })
      return voice(() => current.broker, group, edge)
    },
    async restart() {
      await current.pipeline.close()
      current = await open()
    },
    async close() {
      await current.pipeline.close()
      await database.close()
      rmSync(dir, { recursive: true })
    },
  }
  let current = await open()
  return self
}

function voice(broker: () => LoopBroker, group: string, edge: string): LoopEdge {
  const self: LoopEdge = {
    seq: 0,
    send(message, payload, device) {
      const topic = `spBv1.0/${group}/${message}/${edge}${device === undefined ? '' : `/${device}`}`
      broker().say(topic, protoEncode(payload))
    },
    say(message, metrics, device) {
      if (message === 'NBIRTH') self.seq = 0
      const seq = self.seq
      self.seq = (seq + 1) % 256
      self.send(message, { timestamp: String(Date.now()), seq: String(seq), metrics: [...metrics] }, device)
    },
  }
  return self
}
