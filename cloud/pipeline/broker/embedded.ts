import type { Socket } from 'node:net'
import { Aedes, type AedesPublishPacket, type Client, type ConnectPacket } from 'aedes'
import type { Log } from '#shared/log/log.ts'
import type { EdgeRef, PipelineMetrics } from '../contract.ts'
import { maySubscribe } from './admission.ts'
import { type Broker, BrokerUnavailableError, type MessageHandler } from './broker.ts'
import { type Door, type Guests, keyOf, type OnOddWill, openDoor } from './door.ts'
import { connectionGate, type Gate } from './gate.ts'
import { limitIntake } from './intake.ts'
import { type BrokerLimits, limitsWith } from './limits.ts'
import { type Hall, type Listening, listenPlain, listenTls, type TlsListener } from './listeners.ts'
import { ownState } from './own-state.ts'
import { type Refuse, refusals } from './refusals.ts'
import { secretChecker } from './secret.ts'
import { topicReader } from './topics.ts'
import { createValve, type Valve } from './valve.ts'

export interface EmbeddedOptions {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** A second port, with TLS; clients may show a certificate there instead of a secret. */
  readonly tls?: TlsListener | undefined
  /** The hash that a known edge's secret must fit; undefined for an unknown edge. */
  readonly secretHash: (edge: EdgeRef) => string | undefined
  /** Called when an edge is admitted whose will breaks the rules. */
  readonly onOddWill?: OnOddWill | undefined
  readonly limits?: Partial<BrokerLimits> | undefined
  /** ms since 1970 */
  readonly clock: () => number
  readonly log: Log
  readonly metrics?: PipelineMetrics | undefined
}

/** The embedded broker, with what only it can tell. */
export interface EmbeddedBroker extends Broker {
  /** Connections just now, admitted or not. */
  connections(): number
}

/** Everything that guards and serves the clients of one broker. */
interface Works {
  readonly aedes: Aedes
  readonly guests: Guests
  readonly gate: Gate
  readonly refuse: Refuse
  readonly limits: BrokerLimits
  readonly valve: Valve
  readonly metrics: PipelineMetrics | undefined
  /** Handlers of edges' messages, and the edges they want to hear. */
  readonly handlers: MessageHandler[]
  readonly edges: Set<string>
  readonly read: ReturnType<typeof topicReader>
}

/** A refusal that has been counted under its own reason. */
class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

const MAX_CLIENT_ID = 128
/** Packets that a client may send before its CONNACK. */
const EARLY_PACKETS = 1000
/** Aedes looks for the wills of dead brokers beside it after four of these; there are none, and after a long halt it would take our own for dead. */
const NEVER_MS = 500_000_000

/**
 * Starts the embedded MQTT broker: it admits known edges to their own topics alone and hands every message to the host in
 * process. @throws Error that names ANDON_MQTT_PORT or ANDON_MQTTS_PORT when the port is taken.
 */
export async function startBroker(options: EmbeddedOptions): Promise<EmbeddedBroker> {
  const { log, clock } = options
  const works = await openWorks(options)
  const { aedes, refuse, gate, guests, secretHash } = { ...works, ...options }
  const { onOddWill, tls } = options
  const secrets = secretChecker()
  guard(works, openDoor({ guests, gate, refuse, secretHash, onOddWill, secrets, isRevoked: tls?.isRevoked }))
  deliverInProcess(works)
  const faults: NodeJS.EventEmitter = aedes
  faults.on('error', (error) => log.error({ err: error }, 'The MQTT broker has a fault'))
  const ports = await listen(works, options)
  const publish = publisher(aedes)
  let closing: Promise<void> | undefined
  return {
    host: options.host,
    port: ports[0]?.port ?? options.port,
    tlsPort: ports[1]?.port,
    connections: () => works.gate.connections,
    refuse,
    consume: async (handle) => void works.handlers.push(handle),
    subscribeEdge: async (edge) => void works.edges.add(keyOf(edge)),
    unsubscribeEdge: async (edge) => void works.edges.delete(keyOf(edge)),
    ...ownState(publish, clock),
    publish,
    disconnect: (edge) => guests.byEdge.get(keyOf(edge))?.close(),
    onLink: () => undefined,
    hold: (isHeld) => works.valve.turn(isHeld),
    fault: () => undefined,
    close() {
      closing ??= closeAll(works, ports)
      return closing
    },
  }
}

async function openWorks({ limits: given, log, metrics }: EmbeddedOptions): Promise<Works> {
  const limits = limitsWith(given)
  const aedes = await Aedes.createBroker({
    connectTimeout: limits.connectSeconds * 1000,
    drainTimeout: limits.drainSeconds * 1000,
    maxInflightInbound: limits.unfinishedMessages,
    maxClientsIdLength: MAX_CLIENT_ID,
    queueLimit: EARLY_PACKETS,
    heartbeatInterval: NEVER_MS,
  })
  const { clients } = aedes as unknown as { readonly clients: Readonly<Record<string, Client>> }
  return {
    ...{ aedes, limits, metrics, valve: createValve() },
    guests: { sessions: new WeakMap(), byEdge: new Map(), byId: () => clients },
    gate: connectionGate(limits, () => performance.now()),
    refuse: refusals(log, metrics),
    handlers: [],
    edges: new Set(),
    read: topicReader(),
  }
}

async function listen(works: Works, { host, port, tls }: EmbeddedOptions): Promise<Listening[]> {
  const { gate, refuse, limits } = works
  const accept = (socket: Socket, address: string) => serve(works, socket, address)
  const hall: Hall = { gate, refuse, accept, handshakeMs: limits.connectSeconds * 1000 }
  const plain = await listenPlain(hall, host, port)
  if (!tls) return [plain]
  try {
    return [plain, await listenTls(hall, tls)]
  } catch (error) {
    await closeAll(works, [plain])
    throw error
  }
}

async function closeAll({ aedes }: Works, ports: readonly Listening[]): Promise<void> {
  const closed = ports.map((port) => port.close())
  await new Promise<void>((resolve) => aedes.close(resolve))
  await Promise.all(closed)
}

/** Gives a connection to the broker, its intake limited. */
function serve({ aedes, guests, limits, valve, refuse, metrics }: Works, socket: Socket, address: string): void {
  const sender = () => guests.sessions.get(client)?.key ?? address
  limitIntake(socket, {
    limits,
    valve,
    packetBytes: () => (guests.sessions.has(client) ? limits.packetBytes : limits.connectBytes),
    now: () => performance.now(),
    onRefused: (reason, detail) => {
      refuse(reason, sender(), detail)
      client.close()
    },
    onSlowed: () => metrics?.count('mqtt_slowed_total', 1),
  })
  const client = aedes.handle(socket)
}

function senderOf({ guests }: Works, client: Client | null): string {
  const session = client && guests.sessions.get(client)
  return session?.key ?? (client?.conn as Socket | undefined)?.remoteAddress ?? 'unknown'
}

/** Denies by default: whatever is not allowed here by name is refused. */
function guard(works: Works, door: Door): void {
  const { aedes, guests, limits, metrics } = works
  const connecting = new WeakMap<Client, ConnectPacket>()
  aedes.preConnect = (client, packet, done) => {
    // MQTT 3.1.1 lets a server only close what it takes for dead; nobody is kept who never shows a sign of life.
    packet.keepalive = Math.min(packet.keepalive || limits.keepAliveSeconds, limits.keepAliveSeconds)
    connecting.set(client, packet)
    done(null, true)
  }
  aedes.authenticate = (client, username, password, done) => {
    const packet = connecting.get(client)
    connecting.delete(client)
    void door(client, { packet, username, password }).then(
      (refusal) => (refusal ? done(refusal, false) : done(null, true)),
      (error: Error) => done(Object.assign(error, { returnCode: 3 }), false),
    )
  }
  guardTopics(works)
  aedes.on('client', () => metrics?.gauge('mqtt_clients', aedes.connectedClients))
  aedes.on('clientDisconnect', (client) => {
    metrics?.gauge('mqtt_clients', aedes.connectedClients)
    const session = guests.sessions.get(client)
    if (session && guests.byEdge.get(session.key) === client) guests.byEdge.delete(session.key)
  })
  aedes.on('connectionError', (client, error) => tellFault(works, client, error))
  aedes.on('clientError', (client, error) => tellFault(works, client, error))
}

/** A client that breaks the protocol is told of; one that merely went away is not. */
function tellFault(works: Works, client: Client, error: NodeJS.ErrnoException): void {
  const isGone = error.code === 'ECONNRESET' || error.code === 'EPIPE' || /keep alive/.test(error.message)
  const isRefusal = error instanceof RefusedError || 'returnCode' in error
  if (!isGone && !isRefusal) works.refuse('connection-fault', senderOf(works, client), { fault: error.message })
}

function guardTopics(works: Works): void {
  const { aedes, guests, refuse, limits, read } = works
  aedes.authorizePublish = (client, packet, done) => {
    const session = client ? guests.sessions.get(client) : undefined
    if (!session || read(packet.topic)?.key !== session.key) {
      refuse('publish-not-allowed', senderOf(works, client), { topic: packet.topic.slice(0, 200) })
      return done(new RefusedError('Not authorised to publish on this topic'))
    }
    // A retained birth or value would be told to later subscribers as if it were new (tck-id-payloads-*-retain).
    packet.retain = false
    return done(null)
  }
  aedes.authorizeSubscribe = (client, subscription, done) => {
    const session = guests.sessions.get(client)
    const { subscriptions } = client as unknown as { readonly subscriptions: Readonly<Record<string, unknown>> }
    const isRoom = subscription.topic in subscriptions || Object.keys(subscriptions).length < limits.subscriptions
    if (session && isRoom && maySubscribe(session.edge, subscription.topic)) return done(null, subscription)
    const reason = isRoom ? 'subscribe-not-allowed' : 'too-many-subscriptions'
    refuse(reason, senderOf(works, client), { filter: subscription.topic.slice(0, 200) })
    return done(null, null)
  }
  aedes.authorizeForward = (client, packet) => {
    const session = guests.sessions.get(client)
    return session && maySubscribe(session.edge, packet.topic) ? packet : null
  }
}

/**
 * Hands what an edge publishes straight to the host: by the rights above nobody else may hear it, and the way through the
 * matcher of subscriptions costs more than all the rest. What the host and the broker publish goes that way.
 */
function deliverInProcess(works: Works): void {
  const { aedes, edges, handlers, read } = works
  const toSubscribers = aedes.publish.bind(aedes) as (...args: unknown[]) => void
  const deliver = (packet: AedesPublishPacket) => {
    const known = read(packet.topic)
    if (!known || !edges.has(known.key)) return
    for (const handle of handlers) handle(known.topic, packet.payload as Buffer)
  }
  aedes.publish = ((packet: AedesPublishPacket, client: unknown, done?: (error: Error | null) => void) => {
    if (client === null || typeof client !== 'object') return toSubscribers(packet, client, done)
    deliver(packet)
    done?.(null)
  }) as typeof aedes.publish
}

function publisher(aedes: Aedes): Broker['publish'] {
  return (topic, payload, { qos, retain }) =>
    new Promise((resolve, reject) => {
      if (aedes.closed) return reject(new BrokerUnavailableError('The MQTT broker is closed'))
      const packet = { cmd: 'publish', topic, payload, qos, retain, dup: false } as const
      aedes.publish(packet, (error) => (error ? reject(error) : resolve()))
    })
}
