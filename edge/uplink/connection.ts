import { readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect, type IClientOptions, MqttClient } from 'mqtt'
import type { UplinkConfig } from './config.ts'

/** Bytes that wait in the socket before no more are given to it. */
const CONGESTED_BYTES = 1024 * 1024

export interface ConnectionOptions {
  readonly config: UplinkConfig
  readonly clientId: string
  readonly connectTimeoutMs: number
  /** Topic and payload of the NDEATH that the broker publishes for us. */
  readonly will: { readonly topic: string; readonly payload: Uint8Array }
  /** `isRetained`: the broker kept it and it is of the past. */
  readonly onMessage: (topic: string, payload: Uint8Array, isRetained: boolean) => void
  /** Time for waits, in ms. */
  readonly ticks: () => number
  /** Gives up an attempt that has not succeeded yet. */
  readonly signal: AbortSignal
  /** Called once when the connection is gone, for whatever reason. */
  readonly onLost: (reason: string) => void
  readonly redial?: Redial | undefined
}

/**
 * Where TLS failed of dates: learns the time elsewhere, judges the broker's certificate by it and answers the connection.
 * Answers undefined for a failure of another kind; rejects when it does not get through.
 */
export type Redial = (
  failure: { readonly code: string | undefined; readonly message: string },
  target: { readonly url: string; readonly cert?: Buffer; readonly key?: Buffer; readonly signal: AbortSignal },
) => Promise<Duplex | undefined>

/** One MQTT connection, from CONNECT to its end. It never reconnects: the next attempt is a new one, with a new will. */
export interface Connection {
  subscribe(topics: readonly string[]): Promise<void>
  /** Hands a message at QoS 0, not retained, to the socket. */
  publish(topic: string, payload: Uint8Array): void
  /** True when the socket cannot take more just now. */
  readonly isCongested: boolean
  /** Asks the broker for a sign of life. */
  probe(): void
  /** All that was published before this time, in ticks, has reached the broker; undefined before its first sign of life. */
  readonly reachedAt: number | undefined
  /** Publishes a last message at QoS 1 and disconnects in good order, so that the broker drops the will. */
  leave(topic: string, payload: Uint8Array): Promise<void>
  /** Cuts the connection: the broker publishes the will. */
  cut(): void
}

/** The broker could not be reached, or it refused. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'
  /** True when CONNECT went out: its bdSeq is then used up. */
  readonly isSent: boolean
  /** Of the operating system or OpenSSL. */
  readonly code: string | undefined

  constructor(message: string, isSent: boolean, code?: string) {
    super(message)
    this.isSent = isSent
    this.code = code
  }
}

/** Opens a connection. @throws ConnectError when the broker cannot be reached or refuses. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const given = clientOptions(options)
  const { redial, signal } = options
  try {
    return await opened(connect(options.config.url, given), options)
  } catch (error) {
    const { url } = options.config
    const [cert, key] = [given.cert, given.key] as (Buffer | undefined)[]
    const shown = { ...(cert && { cert }), ...(key && { key }) }
    const stream = error instanceof ConnectError && (await redial?.(error, { url, ...shown, signal }))
    if (!stream) throw error
    return await opened(new MqttClient(() => stream, given), options)
  }
}

function opened(client: MqttClient, options: ConnectionOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let lastError = 'The broker closed the connection'
    let isOpen = false
    let isSent = false
    client.on('packetsend', () => {
      isSent = true
    })
    const giveUp = () => client.end(true)
    if (options.signal.aborted) giveUp()
    options.signal.addEventListener('abort', giveUp, { once: true })
    let code: string | undefined
    client.on('error', (error) => {
      lastError = error.message || String(error)
      code = (error as NodeJS.ErrnoException).code
    })
    client.on('message', (topic, payload, { retain }) => options.onMessage(topic, payload, retain))
    client.on('close', () => {
      client.end(true)
      options.signal.removeEventListener('abort', giveUp)
      if (isOpen) options.onLost(lastError)
      else reject(new ConnectError(lastError, isSent, code))
      isOpen = false
    })
    client.once('connect', () => {
      isOpen = true
      options.signal.removeEventListener('abort', giveUp)
      if (client.stream instanceof Socket) client.stream.setNoDelay(true)
      resolve(connectionOf(client, options.ticks))
    })
  })
}

function clientOptions({ config, clientId, connectTimeoutMs, will }: ConnectionOptions): IClientOptions {
  const file = (path: string | undefined) => path && readFileSync(path)
  return {
    clientId,
    clean: true,
    protocolVersion: 4,
    reconnectPeriod: 0,
    connectTimeout: connectTimeoutMs,
    keepalive: config.keepAliveSeconds,
    queueQoSZero: false,
    resubscribe: false,
    // Else the first packet makes a Buffer of each number up to 65,535, for packet ids: 12 MB that are hardly ever read.
    writeCache: false,
    will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: false },
    ...(config.username !== undefined && { username: config.username }),
    ...(config.password !== undefined && { password: config.password }),
    ...(config.caFile && { ca: file(config.caFile) }),
    ...(config.certFile && { cert: file(config.certFile) }),
    ...(config.keyFile && { key: file(config.keyFile) }),
  }
}

function connectionOf(client: MqttClient, ticks: () => number): Connection {
  const signs = signsOfLife(client, ticks)
  return {
    probe: () => client.sendPing(),
    get reachedAt() {
      return signs.reachedAt
    },
    subscribe: async (topics) => {
      const grants = await client.subscribeAsync([...topics], { qos: 1 })
      const refused = grants.find(({ qos }) => (qos as number) >= 128)
      if (refused) throw new Error(`The broker refuses the subscription ${refused.topic}`)
    },
    publish: (topic, payload) => {
      if (client.connected) client.publish(topic, bufferOf(payload), { qos: 0, retain: false })
    },
    get isCongested() {
      return !client.connected || client.stream.writableLength > CONGESTED_BYTES
    },
    leave: async (topic, payload) => {
      if (client.connected) await client.publishAsync(topic, bufferOf(payload), { qos: 1, retain: false })
      await client.endAsync()
    },
    cut: () => {
      client.end(true)
      client.stream.destroy()
    },
  }
}

/** A broker answers a ping when it has read all that was sent before it: at QoS 0 nothing else tells that anything arrived. */
function signsOfLife(client: MqttClient, ticks: () => number) {
  const asked: number[] = []
  const signs: { reachedAt: number | undefined } = { reachedAt: undefined }
  client.on('packetsend', ({ cmd }) => {
    if (cmd === 'pingreq') asked.push(ticks())
  })
  client.on('packetreceive', ({ cmd }) => {
    if (cmd === 'pingresp') signs.reachedAt = asked.shift()
  })
  return signs
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
