import type { AlarmCommand } from '#shared/contracts/alarm-command.ts'
import type { SparkplugTopic } from '#shared/sparkplug/topics.ts'
import type { CommandOutcome, WriteCommand } from '../contract.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'
import { sendAcknowledgements, tellAcknowledgement } from './alarm-commands.ts'
import { changeBook } from './change-book.ts'
import { acknowledge, sendRebirth } from './commands.ts'
import { loseSight, regainSight, watchSilence } from './deaths.ts'
import { handOver, recordTakeOver, type Succession, windUp } from './hand-over.ts'
import { ACK_ACTIVE_MS, ACK_EVERY_MS, DEFAULT_LIMITS, type HostContext, type HostParts } from './host-context.ts'
import { closeWindow, dropEarly, receive } from './intake.ts'
import { rebirthDesk } from './rebirths.ts'
import { watchCommands, writeCommand } from './writes.ts'

/** The name under which edges find their primary host. */
export const HOST_ID = 'andon'
const TICK_MS = 500

/** The Sparkplug host application: turns messages into samples, states and acknowledgements. */
export interface Host {
  /** Takes one message, synchronously unless a birth names new tags. */
  receive(topic: SparkplugTopic, payload: Uint8Array): void
  /** Publishes STATE online, or sees to it that some process does; edges that wait for their primary host begin. */
  start(): Promise<void>
  /** Acknowledges what has moved for one edge. */
  acknowledge(shard: EdgeShard): void
  /** Writes to an edge; see `Pipeline.command`. */
  command(command: WriteCommand): Promise<CommandOutcome>
  /** An edge came from another process: it reports by exception, so it is asked for its present values. */
  succeed(succession: Succession): void
  /** Records what was lost meanwhile, once the newest stored values are known. */
  recordTakeOver(succession: Succession): void
  /** An alarm that a device of this edge judges itself was acknowledged by a person. */
  tellAcknowledgement(shard: EdgeShard, command: AlarmCommand): void
  /** Ends what is under way of edges that go to another process; their messages no longer come. */
  windUp(shards: readonly EdgeShard[]): Promise<void>
  /** Writes down what another process goes on from. */
  handOver(shards: readonly EdgeShard[]): Promise<void>
  /** The connection to an outside broker is lost: every value is stale until its edge is heard again. */
  lost(): void
  /** It is there again, with its subscriptions: edges are heard, or asked. */
  regained(): void
  /** Does what is due by `now`, ms since 1970; called by itself once started. */
  tick(now: number): void
  /** Takes no more messages; acknowledgements still leave. */
  stop(): void
  /** Publishes STATE offline; nothing leaves after it. */
  close(): Promise<void>
}

/** Makes the host over its parts. */
export function createHost(parts: HostParts): Host {
  const host = contextOf(parts)
  let ticking: NodeJS.Timeout | undefined
  let [isStopped, isClosed] = [false, false]
  return {
    receive(topic, payload) {
      // The wills of a broker that stops are no deaths of edges: their sessions go on after a restart.
      if (!isStopped) receive(host, topic, payload)
    },
    async start() {
      ticking = setInterval(() => tick(host, host.clock()), TICK_MS)
      await (parts.speaker ? parts.speaker.start(parts.broker) : host.broker.holdState(HOST_ID))
    },
    acknowledge(shard) {
      if (!isClosed) acknowledge(host, shard, false)
    },
    // A refusal rejects, like every other failure.
    command: async (command) => writeCommand(host, command),
    tellAcknowledgement: (shard, command) => tellAcknowledgement(host, shard, command),
    succeed: ({ shard }) => host.rebirths.want(shard, 'take-over'),
    recordTakeOver: (succession) => recordTakeOver(host, succession),
    windUp: (shards) => windUp(host, shards),
    handOver: (shards) => handOver(host, shards),
    lost: () => loseSight(host, host.clock()),
    regained: () => regainSight(host, host.clock()),
    tick: (now) => tick(host, now),
    stop() {
      isStopped = true
      clearInterval(ticking)
    },
    async close() {
      isClosed = true
      await host.broker.releaseState()
      await host.changes.settled()
    },
  }
}

function contextOf(parts: HostParts): HostContext {
  const limits = { ...DEFAULT_LIMITS, ...parts.limits }
  const host: HostContext = {
    ...parts,
    limits,
    changes: changeBook(parts),
    rebirths: rebirthDesk({
      limits: limits.rebirths,
      clock: parts.clock,
      send: (shard, reason, isRepeat) => sendRebirth(host, shard, { reason, isRepeat }),
    }),
  }
  return host
}

function tick(host: HostContext, now: number): void {
  for (const shard of host.shards) {
    watchSilence(host, shard, now)
    watchOrder(host, shard, now)
    if (shard.acknowledgements.length > 0) sendAcknowledgements(host, shard)
    if (shard.unanswered > 0) watchCommands(host, shard, now)
    const { lastSamplesAt, acknowledgedAt } = shard.session
    const isActive = lastSamplesAt !== null && now - lastSamplesAt < ACK_ACTIVE_MS
    if (isActive && now - acknowledgedAt >= ACK_EVERY_MS) acknowledge(host, shard, true)
  }
  host.rebirths.tick(now)
  host.metrics.gauge('sparkplug_rebirths_waiting', host.rebirths.waiting)
}

/** Closes reorder windows whose time is over; not behind a birth that is being recorded. */
function watchOrder(host: HostContext, shard: EdgeShard, now: number): void {
  if (shard.waiting) return
  const { reorderMs } = host.limits
  if (shard.early && now - shard.early.since >= reorderMs) dropEarly(host, shard)
  if (shard.order.isWaiting && shard.order.isOverdue(now, reorderMs)) closeWindow(host, shard)
}
