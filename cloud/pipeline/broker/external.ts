import { randomUUID } from 'node:crypto'
import type { IPublishPacket, ISubscriptionMap } from 'mqtt'
import type { Log } from '#shared/log/log.ts'
import type { EdgeRef, PipelineMetrics } from '../contract.ts'
import { type Broker, BrokerUnavailableError, type MessageHandler } from './broker.ts'
import { type Connection, type ExternalAddress, openConnection } from './external-connection.ts'
import { HeldState, type HeldStateOptions } from './held-state.ts'
import { type BackOff, type Link, openLink } from './link.ts'
import { type Refuse, refusals } from './refusals.ts'
import { type ReadTopic, topicReader } from './topics.ts'

export interface ExternalOptions extends HeldStateOptions {
  readonly address: ExternalAddress
  readonly log: Log
  readonly metrics?: PipelineMetrics | undefined
  /** Hears births of edges that were not subscribed to; true for one that nobody registered: it is counted and told. */
  readonly isStranger?: ((edge: EdgeRef) => Promise<boolean>) | undefined
  readonly connectTimeoutMs?: number
  readonly keepAliveSeconds?: number
  readonly backOff?: BackOff
}

const CONNECT_TIMEOUT_MS = 10_000
const KEEP_ALIVE_SECONDS = 15
const BACK_OFF: BackOff = { firstMs: 250, mostMs: 10_000 }

/** Filters in one SUBSCRIBE. */
const BATCH = 500
/** Which subscription a message came by (MQTT 5 subscription identifier). */
const BY_EDGE = 1
const BY_BIRTH = 2
const ANY_BIRTH = 'spBv1.0/+/NBIRTH/+'
/** MQTT 5, 3.8.3.1: retained messages are not sent at subscription, so an old birth is never taken for a new one. */
const NO_RETAINED = 2

const keyOf = ({ group, edge }: EdgeRef): string => `${group}/${edge}`
/** All of an edge's messages; `#` takes in the level above it (MQTT 5, 4.7.1.2). */
const filterOf = ({ group, edge }: EdgeRef): string => `spBv1.0/${group}/+/${edge}/#`

/**
 * Connects to an external MQTT 5 broker and stays connected. Resolves after the first attempt even when it failed: `fault()`
 * says so, and it is tried again. Who may publish where is that broker's matter; here messages of edges that were not
 * subscribed to are counted and ignored.
 */
export async function connectBroker(options: ExternalOptions): Promise<Broker> {
  const { address, log, metrics } = options
  const refuse = refusals(log, metrics)
  const edges = new Map<string, EdgeRef>()
  const listeners: ((isUp: boolean) => void)[] = []
  const router = messageRouter(edges, refuse, options.isStranger)
  const state = new HeldState(() => link, options)
  const onMessage = (topic: string, payload: Buffer, packet: IPublishPacket) => {
    if (!state.hear(topic, payload)) router.receive(topic, payload, packet)
  }
  const link: Link = await openLink({
    open: async (onLost, signal) => {
      await state.confirm()
      return openConnection({ ...settingsOf(options), will: state.newWill(), onMessage, onLost, signal })
    },
    greet: (connection) => greet(connection, edges, state, options),
    onChange: (isUp) => {
      for (const hear of listeners) hear(isUp)
    },
    url: address.url,
    backOff: options.backOff ?? BACK_OFF,
    ...{ log, metrics },
  })
  return {
    ...whereIs(address.url),
    tlsPort: undefined,
    refuse,
    consume: async (handle) => void router.handlers.push(handle),
    ...subscriptions(edges, () => link),
    holdState: (hostId) => state.holdState(hostId),
    releaseState: () => state.releaseState(),
    yieldState: () => state.yieldState(),
    watchState: (hostId, hear) => state.watchState(hostId, hear),
    async publish(topic, payload, message) {
      if (!link.connection) throw new BrokerUnavailableError(link.fault())
      await link.connection.publish(topic, payload, message)
    },
    disconnect: () => undefined,
    onLink: (hear) => void listeners.push(hear),
    hold: () => undefined,
    fault: () => link.fault(),
    close: () => link.close(),
  }
}

function settingsOf(options: ExternalOptions) {
  return {
    address: options.address,
    // A name of its own for each connection: with one for all, the connection left behind by a crash would be closed, and
    // two processes would throw each other out for ever.
    clientId: `andon-${randomUUID()}`,
    connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    keepAliveSeconds: options.keepAliveSeconds ?? KEEP_ALIVE_SECONDS,
  }
}

function whereIs(text: string): { host: string; port: number } {
  const url = new URL(text)
  return { host: url.hostname, port: Number(url.port) || (url.protocol === 'mqtts:' ? 8883 : 1883) }
}

/** Subscribes first, then declares the host online: an edge that waits for its host then finds it listening (tck-id-message-flow-phid-sparkplug-subscription). */
async function greet(
  connection: Connection,
  edges: ReadonlyMap<string, EdgeRef>,
  state: HeldState,
  { isStranger }: ExternalOptions,
): Promise<void> {
  await state.subscribe(connection)
  await subscribeAll(connection, [...edges.values()])
  if (isStranger && connection.namesSubscriptions) {
    await connection.subscribe({ [ANY_BIRTH]: { qos: 0, rh: NO_RETAINED } }, BY_BIRTH)
  }
  await state.announce(connection)
}

async function subscribeAll(connection: Connection, edges: readonly EdgeRef[]): Promise<void> {
  const batches = Array.from({ length: Math.ceil(edges.length / BATCH) }, (_, i) =>
    edges.slice(i * BATCH, (i + 1) * BATCH),
  )
  const id = connection.namesSubscriptions ? BY_EDGE : undefined
  await Promise.all(
    batches.map((batch) => {
      const filters = batch.map((edge) => [filterOf(edge), { qos: 1, nl: true, rh: NO_RETAINED }])
      return connection.subscribe(Object.fromEntries(filters) as ISubscriptionMap, id)
    }),
  )
}

/** Edges come one by one, often many in one turn: those are subscribed to in one packet. */
function subscriptions(
  edges: Map<string, EdgeRef>,
  link: () => Link,
): Pick<Broker, 'subscribeEdge' | 'unsubscribeEdge'> {
  let batch: { readonly edges: EdgeRef[]; readonly done: Promise<void> } | undefined
  const flush = async (added: readonly EdgeRef[]) => {
    await Promise.resolve()
    batch = undefined
    const { connection } = link()
    // Without a connection the next greeting subscribes to it.
    if (!connection) return
    await subscribeAll(connection, added).catch((error: Error) => {
      if (link().connection === connection) throw error
    })
  }
  return {
    subscribeEdge(edge) {
      edges.set(keyOf(edge), edge)
      if (!batch) {
        const added: EdgeRef[] = []
        batch = { edges: added, done: flush(added) }
      }
      batch.edges.push(edge)
      return batch.done
    },
    async unsubscribeEdge(edge) {
      if (!edges.delete(keyOf(edge))) return
      const { connection } = link()
      await connection?.unsubscribe([filterOf(edge)]).catch((error: Error) => {
        if (link().connection === connection) throw error
      })
    },
  }
}

/** Hands on what edges say that were subscribed to; of the others, strangers are counted, told once and ignored. */
function messageRouter(edges: ReadonlyMap<string, EdgeRef>, refuse: Refuse, isStranger: ExternalOptions['isStranger']) {
  const handlers: MessageHandler[] = []
  const read = topicReader()
  const judge = async ({ topic, key }: ReadTopic, text: string) => {
    if (topic.message !== 'NBIRTH' || !(await isStranger?.(topic))) return
    refuse('unknown-edge', key, { topic: text })
  }
  return {
    handlers,
    receive(text: string, payload: Buffer, packet: IPublishPacket): void {
      const known = read(text)
      if (!known) return
      const { topic, key } = known
      // Of the edges of other processes, only births are heard here.
      if (!edges.has(key)) return void judge(known, text).catch(() => undefined)
      // The birth of a known edge comes by both subscriptions; it counts once.
      if (!cameBy(packet, BY_EDGE)) return
      if (packet.retain) return void refuse('retained-message', key, { topic: text })
      for (const handle of handlers) handle(topic, payload)
    },
  }
}

/** True when a message came by this subscription, or by one that the broker does not name. */
function cameBy(packet: IPublishPacket, id: number): boolean {
  const ids = packet.properties?.subscriptionIdentifier
  if (ids === undefined) return true
  return Array.isArray(ids) ? ids.includes(id) : ids === id
}
