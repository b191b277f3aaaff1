import { createServer, type Server, type Socket } from 'node:net'
import { Aedes, type AedesPublishPacket, type AuthenticateError, type Client, type ConnectPacket } from 'aedes'
import type { Log } from '#shared/log/log.ts'
import type { EdgeRef, PipelineMetrics } from '../contract.ts'
import { edgeOfUser, mayPublish, maySubscribe, mayWill } from './admission.ts'
import type { Broker, HostState, MessageHandler, PublishOptions } from './broker.ts'
import { limitPackets } from './packet-limit.ts'
import { type Refuse, refusals } from './refusals.ts'
import { type CheckSecret, secretChecker } from './secret.ts'
import { statePayload, stateTopic } from './state.ts'
import { topicReader } from './topics.ts'

export interface EmbeddedOptions {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** The hash that a known edge's secret must fit; undefined for an unknown edge. */
  readonly secretHash: (edge: EdgeRef) => string | undefined
  /** ms since 1970 */
  readonly clock: () => number
  readonly log: Log
  readonly metrics?: PipelineMetrics | undefined
  /** Called when an edge is admitted whose will breaks the rules. */
  readonly onOddWill?: (edge: EdgeRef, rule: 'will-qos-0' | 'no-will') => void
  /** Largest packet of an admitted edge. */
  readonly maxPacketBytes?: number
}

/** CONNECT with client id, user name, secret and will; more than enough before a client is known. */
const MAX_CONNECT_BYTES = 16_384
const MAX_PACKET_BYTES = 4 * 1024 * 1024
const MAX_CONNECTIONS = 20_000
const NOT_AUTHORISED = 5
const BAD_CREDENTIALS = 4

type Admitted = WeakMap<Client, EdgeRef>

/** Starts the embedded MQTT broker: it admits known edges to their own topics alone and hands every message to the host in process. @throws Error that names ANDON_MQTT_PORT when the port is taken. */
export async function startBroker(options: EmbeddedOptions): Promise<Broker> {
  const { log, metrics, maxPacketBytes = MAX_PACKET_BYTES } = options
  const refuse = refusals(log, metrics)
  const admitted: Admitted = new WeakMap()
  const aedes = await Aedes.createBroker({ connectTimeout: 10_000, maxClientsIdLength: 128, queueLimit: 1000 })
  const byEdge = new Map<string, Client>()
  guard({ aedes, admitted, byEdge, refuse, options, checkSecret: secretChecker() })
  const server = createServer({ noDelay: true }, (socket) => {
    const client = aedes.handle(socket)
    const limit = () => (admitted.has(client) ? maxPacketBytes : MAX_CONNECT_BYTES)
    limitPackets(socket, limit, (sizeBytes) => {
      refuse('packet-too-long', senderOf(admitted, client), { sizeBytes })
      client.close()
    })
  })
  server.maxConnections = MAX_CONNECTIONS
  const port = await listen(server, options)
  const publish = publisher(aedes)
  return {
    host: options.host,
    port,
    refuse,
    ...consumption(aedes),
    ...ownState(publish, options.clock),
    publish,
    disconnect: (edge) => byEdge.get(keyOf(edge))?.close(),
    onLink: () => undefined,
    fault: () => undefined,
    async close() {
      await new Promise<void>((resolve) => aedes.close(resolve))
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

type Publish = (topic: string, payload: Buffer, options: PublishOptions) => Promise<void>

function publisher(aedes: Aedes): Publish {
  return (topic, payload, { qos, retain }) =>
    new Promise((resolve, reject) => {
      const packet = { cmd: 'publish', topic, payload, qos, retain, dup: false } as const
      aedes.publish(packet, (error) => (error ? reject(error) : resolve()))
    })
}

/** A host in the broker's own process sends no CONNECT and has no will: broker and host die together. */
function ownState(publish: Publish, clock: () => number) {
  const last = new Map<string, HostState>()
  const watchers = new Map<string, ((state: HostState) => void)[]>()
  let held: string | undefined
  const tell = async (hostId: string, online: boolean) => {
    const state = { online, timestamp: clock() }
    last.set(hostId, state)
    for (const hear of watchers.get(hostId) ?? []) hear(state)
    await publish(stateTopic(hostId), statePayload(state), { qos: 1, retain: true })
  }
  return {
    async holdState(hostId: string) {
      held = hostId
      await tell(hostId, true)
    },
    async releaseState() {
      const hostId = held
      held = undefined
      if (hostId !== undefined) await tell(hostId, false)
    },
    async watchState(hostId: string, hear: (state: HostState) => void) {
      watchers.set(hostId, [...(watchers.get(hostId) ?? []), hear])
      const state = last.get(hostId)
      if (state) hear(state)
    },
  }
}

const keyOf = ({ group, edge }: EdgeRef): string => `${group}/${edge}`

function senderOf(admitted: Admitted, client: Client | null): string {
  const edge = client ? admitted.get(client) : undefined
  if (edge) return keyOf(edge)
  return (client?.conn as Socket | undefined)?.remoteAddress ?? 'unknown'
}

interface Guarded {
  readonly aedes: Aedes
  readonly admitted: Admitted
  readonly byEdge: Map<string, Client>
  readonly refuse: Refuse
  readonly options: EmbeddedOptions
  readonly checkSecret: CheckSecret
}

/** Denies by default: whatever is not allowed here by name is refused. */
function guard(guarded: Guarded): void {
  const { aedes, admitted, byEdge, refuse } = guarded
  const connecting = new WeakMap<Client, ConnectPacket>()
  aedes.preConnect = (client, packet, done) => {
    connecting.set(client, packet)
    done(null, true)
  }
  aedes.authenticate = (client, username, password, done) => {
    const packet = connecting.get(client)
    connecting.delete(client)
    void admit(guarded, client, { packet, username, password }).then(
      (refusal) => (refusal ? done(refusal, false) : done(null, true)),
      (error: Error) => done(Object.assign(error, { returnCode: 3 }), false),
    )
  }
  aedes.authorizePublish = (client, packet, done) => {
    const edge = client ? admitted.get(client) : undefined
    if (!edge || !mayPublish(edge, packet.topic)) {
      refuse('publish-not-allowed', senderOf(admitted, client), { topic: packet.topic.slice(0, 200) })
      return done(new Error('Not authorised to publish on this topic'))
    }
    // A retained birth or value would be told to later subscribers as if it were new (tck-id-payloads-*-retain).
    packet.retain = false
    return done(null)
  }
  aedes.authorizeSubscribe = (client, subscription, done) => {
    const edge = admitted.get(client)
    if (edge && maySubscribe(edge, subscription.topic)) return done(null, subscription)
    refuse('subscribe-not-allowed', senderOf(admitted, client), { filter: subscription.topic.slice(0, 200) })
    return done(null, null)
  }
  aedes.authorizeForward = (client, packet) => {
    const edge = admitted.get(client)
    return edge && maySubscribe(edge, packet.topic) ? packet : null
  }
  aedes.on('clientDisconnect', (client) => {
    const edge = admitted.get(client)
    if (edge && byEdge.get(keyOf(edge)) === client) byEdge.delete(keyOf(edge))
  })
  aedes.on('connectionError', (client, error) => {
    if (!admitted.has(client)) refuse('connection-fault', senderOf(admitted, client), { fault: error.message })
  })
}

interface Attempt {
  readonly packet: ConnectPacket | undefined
  readonly username: string | undefined
  readonly password: Buffer | undefined
}

/** Checks who connects; answers why not, or undefined when the client is in. */
async function admit(guarded: Guarded, client: Client, attempt: Attempt): Promise<AuthenticateError | undefined> {
  const { refuse, options, admitted, byEdge, checkSecret } = guarded
  const edge = edgeOfUser(attempt.username)
  const sender = (client.conn as Socket).remoteAddress ?? 'unknown'
  const no = (reason: string, returnCode: number) => {
    refuse(reason, edge ? keyOf(edge) : sender, { address: sender })
    return Object.assign(new Error(reason), { returnCode }) as AuthenticateError
  }
  if (!edge || !attempt.packet) return no('no-edge-user-name', BAD_CREDENTIALS)
  const isSecret = await checkSecret(String(attempt.password ?? ''), options.secretHash(edge))
  if (!isSecret) return no('unknown-edge-or-bad-secret', BAD_CREDENTIALS)
  if (!mayWill(edge, attempt.packet.will)) return no('will-not-allowed', NOT_AUTHORISED)
  if (!attempt.packet.clean) return no('persistent-session', NOT_AUTHORISED)
  if (isTaken(guarded, client, edge)) return no('client-id-of-another-edge', NOT_AUTHORISED)
  admitted.set(client, edge)
  noteWill(options, edge, attempt.packet)
  // One connection an edge, the newest: two would mix their sequence numbers. Closing publishes the older one's will.
  byEdge.get(keyOf(edge))?.close()
  byEdge.set(keyOf(edge), client)
  return undefined
}

function noteWill({ onOddWill }: EmbeddedOptions, edge: EdgeRef, { will }: ConnectPacket): void {
  if (will?.qos !== 1) onOddWill?.(edge, will ? 'will-qos-0' : 'no-will')
}

/** MQTT closes the older client of the same id, so an edge must not take another edge's. */
function isTaken({ aedes, admitted }: Guarded, client: Client, edge: EdgeRef): boolean {
  const { clients } = aedes as unknown as { readonly clients: Readonly<Record<string, Client>> }
  const other = clients[client.id]
  const owner = other ? admitted.get(other) : undefined
  return owner !== undefined && keyOf(owner) !== keyOf(edge)
}

interface Heard {
  readonly topic: string
  readonly payload: Buffer
}

function subscribed(aedes: Aedes, filter: string, hear: (heard: Heard) => void): Promise<void> {
  return new Promise((resolve) => {
    const deliver = (packet: AedesPublishPacket, done: () => void) => {
      hear(packet as Heard)
      done()
    }
    aedes.subscribe(filter, deliver, resolve)
  })
}

/** Hands messages of subscribed edges to the handlers; the rights were checked when they came in. */
function consumption(aedes: Aedes) {
  const edges = new Set<string>()
  const read = topicReader()
  return {
    consume: (handle: MessageHandler) =>
      subscribed(aedes, 'spBv1.0/#', ({ topic: text, payload }) => {
        const topic = read(text)
        if (topic && edges.has(keyOf(topic))) handle(topic, payload)
      }),
    subscribeEdge: async (edge: EdgeRef) => void edges.add(keyOf(edge)),
    unsubscribeEdge: async (edge: EdgeRef) => void edges.delete(keyOf(edge)),
  }
}

function listen(server: Server, { host, port }: EmbeddedOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTakenPort = error.code === 'EADDRINUSE'
      const words = `MQTT port ${port} on ${host} is in use; free it or set ANDON_MQTT_PORT to another (0 picks a free one)`
      reject(isTakenPort ? new Error(words, { cause: error }) : error)
    })
    server.listen(port, host, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}
