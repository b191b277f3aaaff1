import type { SparkplugTopic } from '#shared/sparkplug/topics.ts'
import type { EdgeRef } from '../contract.ts'
import type { Refuse } from './refusals.ts'

/** A Sparkplug message of an edge as it arrived. */
export type MessageHandler = (topic: SparkplugTopic, payload: Buffer) => void

/** A STATE message of a host; `timestamp` in ms since 1970. */
export interface HostState {
  readonly online: boolean
  readonly timestamp: number
}

export interface PublishOptions {
  readonly qos: 0 | 1
  readonly retain: boolean
}

/**
 * What the host stands on: the embedded broker, or a connection to another one. Order: `consume` once, then edges come and
 * go by `subscribeEdge` and `unsubscribeEdge`, and the process that speaks for the host holds its STATE.
 */
export interface Broker {
  /** Where edges connect. */
  readonly host: string
  readonly port: number
  /** The embedded broker's port with TLS; undefined when it has none, or when the broker is another. */
  readonly tlsPort?: number | undefined
  /** Calls `handle` synchronously with each message of a subscribed edge, wills included; those of an edge in order. */
  consume(handle: MessageHandler): Promise<void>
  /** Messages of this edge arrive from now on, after a lost connection too. Rejects when the broker refuses. */
  subscribeEdge(edge: EdgeRef): Promise<void>
  unsubscribeEdge(edge: EdgeRef): Promise<void>
  /**
   * Tells edges that the host is online, now and after each reconnection, and offline by will when this process dies. An
   * `online:false` of anybody else is answered at once. Resolves when it is told, or will be after the next connection.
   */
  holdState(hostId: string): Promise<void>
  /** Tells edges that the host is offline, when this process holds its STATE. */
  releaseState(): Promise<void>
  /** Leaves STATE to another process without a word to edges: the will is dropped. */
  yieldState(): Promise<void>
  /** Calls `hear` with the retained and each later STATE of a host, also those this process sends. */
  watchState(hostId: string, hear: (state: HostState) => void): Promise<void>
  /** Publishes as the host. Rejects with BrokerUnavailableError while there is no connection: nothing waits for one. */
  publish(topic: string, payload: Buffer, options: PublishOptions): Promise<void>
  /** Closes the connection of an edge, as after its secret changed. An external broker's connections are its own matter. */
  disconnect(edge: EdgeRef): void
  /** Calls `hear` when the connection is lost, and when it is there again with its subscriptions; never for the first. */
  onLink(hear: (isUp: boolean) => void): void
  /**
   * Reads nothing from edges, whose senders then wait and lose nothing, or goes on. A broker elsewhere is read on all the
   * same: it would drop what it cannot pass.
   */
  hold(isHeld: boolean): void
  /** What is wrong in words; undefined when all is well. */
  fault(): string | undefined
  readonly refuse: Refuse
  /** Leaves in good order; safe to call twice. */
  close(): Promise<void>
}

/** The message did not leave: the broker is out of reach, or takes no more just now. */
export class BrokerUnavailableError extends Error {
  override readonly name = 'BrokerUnavailableError'
}
