import { DataColumns, readData } from '#shared/sparkplug/data-columns.ts'
import { BD_SEQ } from '#shared/sparkplug/metric-names.ts'
import { decodePayload, type Payload, PayloadError } from '#shared/sparkplug/payload.ts'
import { missingBefore } from '#shared/sparkplug/session.ts'
import type { SparkplugTopic } from '#shared/sparkplug/topics.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'
import { NODE_DEVICE } from '../shard/slots.ts'
import { deviceBirth, nodeBirth } from './births.ts'
import { takeColumns } from './columns.ts'
import { acknowledge, askRebirth } from './commands.ts'
import { takeData } from './data.ts'
import { deviceDeath, endSession, watchSilence } from './deaths.ts'
import { ACK_ACTIVE_MS, ACK_EVERY_MS, type HostContext, MAX_WAITING } from './host-context.ts'

/** The name under which edges find their primary host. */
export const HOST_ID = 'andon'
const TICK_MS = 500

/** The Sparkplug host application: turns messages into samples, states and acknowledgements. */
export interface Host {
  /** Takes one message, synchronously unless a birth names new tags. */
  receive(topic: SparkplugTopic, payload: Uint8Array): void
  /** Publishes STATE online; edges that wait for their primary host begin. */
  start(): Promise<void>
  /** Acknowledges what has moved for one edge. */
  acknowledge(shard: EdgeShard): void
  /** Takes no more messages; acknowledgements still leave. */
  stop(): void
  /** Publishes STATE offline; nothing leaves after it. */
  close(): Promise<void>
}

/** Makes the host over its parts. */
export function createHost(host: HostContext): Host {
  let ticking: NodeJS.Timeout | undefined
  let [isStopped, isClosed] = [false, false]
  return {
    receive(topic, payload) {
      // The wills of a broker that stops are no deaths of edges: their sessions go on after a restart.
      if (!isStopped) receive(host, topic, payload)
    },
    async start() {
      ticking = setInterval(() => tick(host), TICK_MS)
      await host.broker.holdState(HOST_ID)
    },
    acknowledge(shard) {
      if (!isClosed) acknowledge(host, shard, false)
    },
    stop() {
      isStopped = true
      clearInterval(ticking)
    },
    async close() {
      isClosed = true
      await host.broker.releaseState()
    },
  }
}

function tick(host: HostContext): void {
  const now = host.clock()
  for (const shard of host.shards) {
    watchSilence(host, shard, now)
    const { lastSamplesAt, acknowledgedAt } = shard.session
    const isActive = lastSamplesAt !== null && now - lastSamplesAt < ACK_ACTIVE_MS
    if (isActive && now - acknowledgedAt >= ACK_EVERY_MS) acknowledge(host, shard, true)
  }
}

function receive(host: HostContext, topic: SparkplugTopic, payload: Uint8Array): void {
  if (topic.message === 'STATE') return
  const shard = host.shards.get(topic)
  if (!shard) {
    host.broker.refuse('unknown-edge', `${topic.group}/${topic.edge}`)
    return
  }
  host.metrics.count('mqtt_messages_total', 1, { message: topic.message })
  const device = 'device' in topic ? topic.device : undefined
  const waiting = { message: topic.message, device, payload }
  if (!shard.waiting) take(host, shard, waiting)
  else if (shard.waiting.length < MAX_WAITING) shard.waiting.push(waiting)
  else host.metrics.count('payloads_not_taken_total', 1)
}

type Message = NonNullable<EdgeShard['waiting']>[number]

/** Takes messages in order; a birth that waits for the database holds back those behind it. */
function take(host: HostContext, shard: EdgeShard, message: Message): void {
  const pending = guarded(host, shard, message)
  if (!pending) return
  shard.waiting = []
  void pending
    .catch((error: Error) => {
      host.log.error({ err: error, ...shard.ref }, 'A birth could not be recorded; the edge is asked for another')
      askRebirth(host, shard, 'birth-not-recorded')
    })
    .then(() => takeWaiting(host, shard))
}

function takeWaiting(host: HostContext, shard: EdgeShard): void {
  const behind = shard.waiting ?? []
  shard.waiting = undefined
  for (const [index, message] of behind.entries()) {
    take(host, shard, message)
    // `take` may have opened a new queue.
    const reopened = shard.waiting as Message[] | undefined
    if (reopened) {
      reopened.push(...behind.slice(index + 1))
      return
    }
  }
}

/** One payload at a time is read into these; whoever keeps something of it copies it. */
const COLUMNS = new DataColumns()

/** The usual case, data by alias of a born device: straight from the wire to columns. False: the message is another. */
function takenByColumns(host: HostContext, shard: EdgeShard, { message, device, payload }: Message): boolean {
  const isData = message === 'DDATA' || message === 'NDATA'
  if (!isData || !shard.session.isOnline || !shard.isBorn(undefined)) return false
  const tags = shard.devices.get(device ?? NODE_DEVICE)?.columns
  if (!tags || !readData(payload, shard.born(device).aliases, COLUMNS)) return false
  noteArrival(host, shard)
  checkSequence(host, shard, COLUMNS.seq < 0 ? undefined : COLUMNS.seq)
  takeColumns({ host, shard, data: COLUMNS, tags })
  return true
}

/** Runs one message; a payload that breaks the protocol is counted, told once, and nothing of it is used. */
function guarded(host: HostContext, shard: EdgeShard, message: Message): Promise<void> | undefined {
  try {
    if (takenByColumns(host, shard, message)) return undefined
    const payload = decodePayload(message.payload)
    noteArrival(host, shard)
    return dispatch(host, shard, { message, payload })
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error
    const { group, edge } = shard.ref
    host.metrics.count('payloads_rejected_total', 1, { reason: 'broken' })
    host.broker.refuse(`broken-${message.message.toLowerCase()}`, `${group}/${edge}`, { fault: error.message })
    return undefined
  }
}

function noteArrival(host: HostContext, shard: EdgeShard): void {
  const { session } = shard
  const now = host.clock()
  session.lastMessageAt = now
  session.restoredAt = null
  if (!session.isSilent || !session.isOnline) return
  session.isSilent = false
  shard.detection.onFresh()
  host.live.publish(shard, shard.tags())
}

interface Decoded {
  readonly message: Message
  readonly payload: Payload
}

function dispatch(host: HostContext, shard: EdgeShard, { message, payload }: Decoded): Promise<void> | undefined {
  const { device } = message
  if (message.message === 'NBIRTH') return nodeBirth(host, shard, payload)
  if (message.message === 'NDEATH') return void nodeDeath(host, shard, payload)
  if (!shard.session.isOnline || !shard.isBorn(undefined)) {
    host.metrics.count('payloads_rejected_total', 1, { reason: 'not-born' })
    return askRebirth(host, shard, 'not-born') as undefined
  }
  checkSequence(host, shard, payload.seq)
  if (message.message === 'DBIRTH') return deviceBirth(host, shard, { device: device ?? '', payload })
  if (message.message === 'DDEATH') return void deviceDeath(host, shard, device ?? '')
  return void takeData(host, shard, device, payload)
}

/** A hole in the sequence means a lost message: the edge sends samples again by itself, a lost birth only when asked. */
function checkSequence(host: HostContext, shard: EdgeShard, seq: number | undefined): void {
  const { session } = shard
  if (seq === undefined) throw new PayloadError('A message without its sequence number')
  const isNext = session.seq === null || missingBefore(session.seq, seq) === 0
  session.seq = seq
  if (!isNext) askRebirth(host, shard, 'sequence-gap')
}

/** The death of another session than the present one is late news (tck-id-operational-behavior-edge-node-termination-host-*). */
function nodeDeath(host: HostContext, shard: EdgeShard, payload: Payload): void {
  for (let i = 0; i < payload.count; i++) {
    if (payload.name(i) !== BD_SEQ) continue
    if (Number(payload.valueAs(i, 'int64')) === shard.session.bdSeq) endSession(host, shard)
    return
  }
}
