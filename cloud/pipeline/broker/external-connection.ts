import {
  connect,
  type IClientOptions,
  type IClientSubscribeOptions,
  type IPublishPacket,
  type ISubscriptionMap,
  type MqttClient,
} from 'mqtt'
import { BrokerUnavailableError, type PublishOptions } from './broker.ts'
import { statePayload, stateTopic } from './state.ts'

/** How to reach an external broker. */
export interface ExternalAddress {
  /** `mqtt://host:port` or `mqtts://host:port`, without credentials. */
  readonly url: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** PEM of the authority that signed the broker's certificate; else those Node knows. */
  readonly ca?: string | undefined
  /** PEM of a client certificate and its key. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

export interface ConnectionOptions {
  readonly address: ExternalAddress
  readonly clientId: string
  readonly connectTimeoutMs: number
  readonly keepAliveSeconds: number
  /** The STATE whose death the broker publishes for us; its birth has the same timestamp. */
  readonly will: { readonly hostId: string; readonly timestamp: number } | undefined
  readonly onMessage: (topic: string, payload: Buffer, packet: IPublishPacket) => void
  /** Called once when the connection is gone, for whatever reason. */
  readonly onLost: (reason: string) => void
  /** Gives up an attempt that has not succeeded yet. */
  readonly signal: AbortSignal
}

/** One MQTT 5 connection, from CONNECT to its end. It never reconnects: the next is a new one, with a new will. */
export interface Connection {
  /** @throws Error naming the first filter that the broker refuses. */
  subscribe(subscriptions: Readonly<ISubscriptionMap>, subscriptionId?: number): Promise<void>
  unsubscribe(filters: readonly string[]): Promise<void>
  /** Rejects at once when the connection is gone or takes no more. */
  publish(topic: string, payload: Buffer, options: PublishOptions): Promise<void>
  /** True when the broker can say which subscription a message belongs to (MQTT 5, 3.3.2.3.8). */
  readonly namesSubscriptions: boolean
  /** Disconnects in good order, so that the broker drops the will. */
  leave(): Promise<void>
  /** Cuts the connection: the broker publishes the will. */
  cut(): void
}

/** Bytes that may wait in the socket; beyond it commands fail instead of piling up behind a broker that stands still. */
const CONGESTED_BYTES = 8 * 1024 * 1024

const LEAVE_WITHIN_MS = 2000

/** Opens a connection. @throws BrokerUnavailableError saying why the broker cannot be reached or refuses. */
export function openConnection(options: ConnectionOptions): Promise<Connection> {
  const client = connect(options.address.url, clientOptions(options))
  return new Promise((resolve, reject) => {
    let lastError = 'the broker closed the connection'
    let isOpen = false
    client.on('error', (error) => {
      lastError = error.message || (error as NodeJS.ErrnoException).code || String(error)
    })
    client.on('disconnect', ({ reasonCode }) => {
      lastError = `the broker disconnected with reason code 0x${(reasonCode ?? 0).toString(16)}`
    })
    const giveUp = () => client.end(true)
    if (options.signal.aborted) giveUp()
    options.signal.addEventListener('abort', giveUp, { once: true })
    client.on('message', options.onMessage)
    client.on('close', () => {
      client.end(true)
      options.signal.removeEventListener('abort', giveUp)
      if (isOpen) options.onLost(lastError)
      else reject(new BrokerUnavailableError(lastError))
      isOpen = false
    })
    client.once('connect', (connack) => {
      isOpen = true
      options.signal.removeEventListener('abort', giveUp)
      const isAvailable = connack.properties?.subscriptionIdentifiersAvailable ?? true
      resolve(connectionOf(client, isAvailable))
    })
  })
}

function clientOptions({ address, will, ...options }: ConnectionOptions): IClientOptions {
  const { username, password, ca, cert, key } = address
  return {
    clientId: options.clientId,
    // tck-id-message-flow-phid-sparkplug-clean-session-50
    protocolVersion: 5,
    clean: true,
    properties: { sessionExpiryInterval: 0 },
    reconnectPeriod: 0,
    queueQoSZero: false,
    resubscribe: false,
    connectTimeout: options.connectTimeoutMs,
    keepalive: options.keepAliveSeconds,
    reschedulePings: false,
    ...(will && {
      will: {
        topic: stateTopic(will.hostId),
        payload: statePayload({ online: false, timestamp: will.timestamp }),
        qos: 1,
        retain: true,
      },
    }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  }
}

function connectionOf(client: MqttClient, namesSubscriptions: boolean): Connection {
  return {
    namesSubscriptions,
    async subscribe(subscriptions, subscriptionId) {
      const options = { qos: 1, ...(subscriptionId && { properties: { subscriptionIdentifier: subscriptionId } }) }
      const filters = Object.keys(subscriptions)
      const refused = (granted: readonly unknown[] = []) => filters[granted.findIndex((code) => Number(code) >= 128)]
      await client
        .subscribeAsync(subscriptions as ISubscriptionMap, options as IClientSubscribeOptions)
        .catch((cause) => {
          const filter = refused((cause as { packet?: { granted?: readonly unknown[] } }).packet?.granted)
          throw filter === undefined ? cause : new Error(`the broker refuses the subscription ${filter}`, { cause })
        })
    },
    async unsubscribe(filters) {
      await client.unsubscribeAsync([...filters])
    },
    async publish(topic, payload, { qos, retain }) {
      if (!client.connected) throw new BrokerUnavailableError('There is no connection to the MQTT broker')
      if (client.stream.writableLength > CONGESTED_BYTES) {
        throw new BrokerUnavailableError('The MQTT broker takes no more messages just now')
      }
      // At QoS 0 it has left when the socket has it; the library would wait for a full socket to drain, even one that broke.
      if (qos === 0) return void client.publish(topic, payload, { qos, retain })
      await client.publishAsync(topic, payload, { qos, retain }).catch((cause: Error) => {
        throw new BrokerUnavailableError('The message did not reach the MQTT broker', { cause })
      })
    },
    async leave() {
      // An acknowledgement that never comes would hold the end back for ever.
      const patience = setTimeout(() => client.stream.destroy(), LEAVE_WITHIN_MS)
      await client.endAsync().finally(() => clearTimeout(patience))
    },
    cut() {
      client.end(true)
      client.stream.destroy()
    },
  }
}
