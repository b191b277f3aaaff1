import { readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
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
  /** Gives up an attempt that has not succeeded yet. */
  readonly signal: AbortSignal
  /** Called once when the connection is gone, for whatever reason. */
  readonly onLost: (reason: string) => void
}

/** One MQTT connection, from CONNECT to its end. It never reconnects: the next attempt is a new one, with a new will. */
export interface Connection {
  subscribe(topics: readonly string[]): Promise<void>
  /** Hands a message at QoS 0, not retained, to the socket. */
  publish(topic: string, payload: Uint8Array): void
  /** True when the socket cannot take more just now. */
  readonly isCongested: boolean
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

  constructor(message: string, isSent: boolean) {
    super(message)
    this.isSent = isSent
  }
}

/** Opens a connection. @throws ConnectError when the broker cannot be reached or refuses. */
export function openConnection(options: ConnectionOptions): Promise<Connection> {
  const client = connect(options.config.url, clientOptions(options))
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
    client.on('error', (error) => {
      lastError = error.message || String(error)
    })
    client.on('message', (topic, payload, { retain }) => options.onMessage(topic, payload, retain))
    client.on('close', () => {
      client.end(true)
      options.signal.removeEventListener('abort', giveUp)
      if (isOpen) options.onLost(lastError)
      else reject(new ConnectError(lastError, isSent))
      isOpen = false
    })
    client.once('connect', () => {
      isOpen = true
      options.signal.removeEventListener('abort', giveUp)
      if (client.stream instanceof Socket) client.stream.setNoDelay(true)
      resolve(connectionOf(client))
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
    will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: false },
    ...(config.username !== undefined && { username: config.username }),
    ...(config.password !== undefined && { password: config.password }),
    ...(config.caFile && { ca: file(config.caFile) }),
    ...(config.certFile && { cert: file(config.certFile) }),
    ...(config.keyFile && { key: file(config.keyFile) }),
  }
}

function connectionOf(client: MqttClient): Connection {
  return {
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

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
