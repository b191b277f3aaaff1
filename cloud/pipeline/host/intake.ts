import { DataColumns, readData } from '#shared/sparkplug/data-columns.ts'
import { decodePayload, type Payload, PayloadError } from '#shared/sparkplug/payload.ts'
import type { SparkplugTopic } from '#shared/sparkplug/topics.ts'
import type { EdgeShard, Waiting } from '../shard/edge-shard.ts'
import { NODE_DEVICE } from '../shard/slots.ts'
import { deviceBirth, nodeBirth } from './births.ts'
import { takeColumns } from './columns.ts'
import { takeData } from './data.ts'
import { deviceDeath, nodeDeath } from './deaths.ts'
import { type HostContext, MAX_EARLY, MAX_WAITING } from './host-context.ts'
import { inspectData, inspectDeviceBirth, inspectNodeBirth } from './inspect.ts'
import { setAside } from './set-aside.ts'
import { tolerate } from './tolerances.ts'
import { takeResults } from './writes.ts'

/** Labels by message: one object each, because they are counted with every message. */
const COUNTED_AS = {
  NBIRTH: { message: 'NBIRTH' },
  NDATA: { message: 'NDATA' },
  NDEATH: { message: 'NDEATH' },
  NCMD: { message: 'NCMD' },
  DBIRTH: { message: 'DBIRTH' },
  DDATA: { message: 'DDATA' },
  DDEATH: { message: 'DDEATH' },
  DCMD: { message: 'DCMD' },
} as const

/** Takes one message of an edge in: at once, or in its turn when it came early or behind a birth that is not done. */
export function receive(host: HostContext, topic: SparkplugTopic, payload: Uint8Array): void {
  if (topic.message === 'STATE') return
  const shard = host.shards.get(topic)
  if (!shard) {
    host.broker.refuse('unknown-edge', `${topic.group}/${topic.edge}`)
    return
  }
  host.metrics.count('mqtt_messages_total', 1, COUNTED_AS[topic.message])
  const device = 'device' in topic ? topic.device : undefined
  const message = { message: topic.message, device, payload }
  if (!shard.waiting) take(host, shard, message)
  else if (shard.waiting.length < MAX_WAITING) shard.waiting.push(message)
  else host.metrics.count('payloads_not_taken_total', 1)
}

function take(host: HostContext, shard: EdgeShard, message: Waiting): void {
  const pending = guarded(host, shard, message) ?? takeHeld(host, shard)
  if (pending) wait(host, shard, pending)
}

/** What was held because it came early, as far as it is next now. */
function takeHeld(host: HostContext, shard: EdgeShard): Promise<void> | undefined {
  for (let next = shard.order.next(); next; next = shard.order.next()) {
    const pending = guarded(host, shard, { ...next, isAdmitted: true })
    if (pending) return pending
  }
  return undefined
}

/** A birth that waits for the database holds back the messages behind it. */
function wait(host: HostContext, shard: EdgeShard, pending: Promise<void>): void {
  shard.waiting ??= []
  void pending
    .catch((error: Error) => {
      host.log.error({ err: error, ...shard.ref }, 'A birth could not be recorded; the edge is asked for another')
      host.rebirths.want(shard, 'birth-not-recorded')
    })
    .then(() => {
      const behind = shard.waiting ?? []
      const again = takeHeld(host, shard)
      if (again) return wait(host, shard, again)
      shard.waiting = undefined
      takeAll(host, shard, behind)
    })
}

/** Takes messages in order; one that must wait makes those behind it wait. */
function takeAll(host: HostContext, shard: EdgeShard, messages: readonly Waiting[]): void {
  for (const [index, message] of messages.entries()) {
    take(host, shard, message)
    // `take` may have opened a queue.
    const opened = shard.waiting as Waiting[] | undefined
    if (opened) {
      opened.push(...messages.slice(index + 1))
      return
    }
  }
}

/** Closes the reorder window of an edge that still lacks a message: what was held is taken, and a rebirth is due. */
export function closeWindow(host: HostContext, shard: EdgeShard): void {
  const held = shard.order.giveUp(host.clock())
  host.metrics.count('sequence_gaps_total', 1)
  if (shard.order.isUseless) tolerate(host, shard, 'sequence-useless')
  else host.rebirths.want(shard, 'sequence-gap')
  takeAll(
    host,
    shard,
    held.map((message) => ({ ...message, isAdmitted: true })),
  )
}

/**
 * Runs one message. A payload that breaks the protocol is counted, told once, and nothing of it is used; one on which our own
 * code fails is set aside, because the process of all edges must not end for one of them.
 */
function guarded(host: HostContext, shard: EdgeShard, message: Waiting): Promise<void> | undefined {
  host.writer.batch.settle()
  try {
    if (takenByColumns(host, shard, message)) return undefined
    const payload = decodePayload(message.payload)
    noteArrival(host, shard)
    return dispatch(host, shard, { message, payload })
  } catch (error) {
    if (error instanceof PayloadError) refuseBroken(host, shard, message, error)
    else setAside(host, shard, message, error)
    return undefined
  }
}

function refuseBroken(
  host: HostContext,
  { ref }: EdgeShard,
  { message }: Waiting,
  { message: fault }: PayloadError,
): void {
  host.metrics.count('payloads_rejected_total', 1, { reason: 'broken' })
  host.broker.refuse(`broken-${message.toLowerCase()}`, `${ref.group}/${ref.edge}`, { fault })
}

/** One payload at a time is read into these; whoever keeps something of it copies it. */
const COLUMNS = new DataColumns()

/** The usual case, data by alias of a born device: straight from the wire to columns. False: the message is another. */
function takenByColumns(host: HostContext, shard: EdgeShard, message: Waiting): boolean {
  const isData = message.message === 'DDATA' || message.message === 'NDATA'
  if (!isData || !shard.session.isOnline || !shard.isBorn(undefined)) return false
  const tags = shard.devices.get(message.device ?? NODE_DEVICE)?.columns
  if (!tags || !readData(message.payload, shard.born(message.device).aliases, COLUMNS)) return false
  noteArrival(host, shard)
  if (!isNext(host, shard, COLUMNS.seq < 0 ? undefined : COLUMNS.seq, message)) return true
  inspectData(host, shard, message)
  takeColumns({ host, shard, data: COLUMNS, tags })
  return true
}

function noteArrival(host: HostContext, shard: EdgeShard): void {
  const { session } = shard
  session.lastMessageAt = host.clock()
  session.restoredAt = null
  if (!session.isSilent || !session.isOnline) return
  session.isSilent = false
  shard.detection.onFresh()
  host.live.publish(shard, shard.tags())
}

interface Decoded {
  readonly message: Waiting
  readonly payload: Payload
}

function dispatch(host: HostContext, shard: EdgeShard, decoded: Decoded): Promise<void> | undefined {
  const { message, payload } = decoded
  if (message.message === 'NBIRTH') return beginSession(host, shard, payload)
  if (message.message === 'NDEATH') return void nodeDeath(host, shard, payload)
  if (!shard.session.isOnline || !shard.isBorn(undefined)) return void takeEarly(host, shard, message)
  if (!isNext(host, shard, payload.seq, message)) return undefined
  if (message.message === 'DBIRTH') return bearDevice(host, shard, { message, payload })
  if (message.message === 'DDEATH') return void deviceDeath(host, shard, message.device ?? '', payload.timestamp)
  inspectData(host, shard, message)
  if (shard.unanswered > 0) takeResults(host, shard, message.device, payload)
  return void takeData(host, shard, message.device, payload)
}

function bearDevice(host: HostContext, shard: EdgeShard, { message, payload }: Decoded): Promise<void> | undefined {
  const device = message.device ?? ''
  // An early one is named as such already, not by its time too.
  if (message.isEarly) shard.session.bornTime = null
  inspectDeviceBirth(host, shard, device, payload)
  return deviceBirth(host, shard, { device, payload })
}

/** False for a message that is not to be taken now: it is held for its turn, or a duplicate. */
function isNext(host: HostContext, shard: EdgeShard, seq: number | undefined, message: Waiting): boolean {
  if (message.isAdmitted) return true
  if (seq === undefined) {
    tolerate(host, shard, 'missing-seq')
    return true
  }
  if (seq > 255) tolerate(host, shard, 'seq-out-of-range')
  if (message.isEarly && !shard.order.expects(seq % 256)) return true
  const admission = shard.order.admit(seq % 256, message, host.clock())
  if (admission === 'take') return true
  host.metrics.count('messages_out_of_order_total', 1, { fate: admission })
  if (host.limits.reorderMs === 0) closeWindow(host, shard)
  return false
}

/** A device announced before its node waits for the node's birth; anything else without one is of no use. */
function takeEarly(host: HostContext, shard: EdgeShard, message: Waiting): void {
  const isBirth = message.message === 'DBIRTH'
  if (isBirth) shard.early ??= { messages: [], since: host.clock() }
  if (isBirth && shard.early && shard.early.messages.length < MAX_EARLY) {
    shard.early.messages.push({ ...message, isEarly: true })
    return
  }
  host.metrics.count('payloads_rejected_total', 1, { reason: 'not-born' })
  host.rebirths.want(shard, 'not-born')
}

/** Gives early device births up whose node's birth does not come. */
export function dropEarly(host: HostContext, shard: EdgeShard): void {
  const count = shard.early?.messages.length ?? 0
  shard.early = undefined
  host.metrics.count('payloads_rejected_total', count, { reason: 'not-born' })
  host.rebirths.want(shard, 'not-born')
}

/** An NBIRTH: what was held of the time before is taken first, what came ahead of it afterwards. */
function beginSession(host: HostContext, shard: EdgeShard, payload: Payload): Promise<void> | undefined {
  const bornAt = payload.timestamp ?? 0
  const { before, after } = parted(shard.order.begin((payload.seq ?? 0) % 256), bornAt)
  for (const message of before) guarded(host, shard, { ...message, isAdmitted: true })
  const early = shard.early?.messages ?? []
  shard.early = undefined
  if (early.length > 0) tolerate(host, shard, 'dbirth-before-nbirth')
  const pending = nodeBirth(host, shard, payload)
  inspectNodeBirth(host, shard, payload)
  host.rebirths.settle(shard)
  const behind = [...early, ...after]
  if (behind.length === 0) return pending
  return (pending ?? Promise.resolve()).then(() => void shard.waiting?.unshift(...behind))
}

/** Parts held messages at the time of a birth, by the sender's clock. Births of the time before are no longer of use. */
function parted(held: readonly Waiting[], bornAt: number): { before: Waiting[]; after: Waiting[] } {
  const before: Waiting[] = []
  const after: Waiting[] = []
  for (const message of held) {
    const at = timeOf(message)
    if (at !== undefined && at >= bornAt) after.push(message)
    else if (message.message.endsWith('DATA')) before.push(message)
  }
  return { before, after }
}

function timeOf({ payload }: Waiting): number | undefined {
  try {
    return decodePayload(payload).timestamp
  } catch {
    return undefined
  }
}
