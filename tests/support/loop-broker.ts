import type { Broker, MessageHandler } from '#cloud/pipeline/broker/broker.ts'
import { parseTopic } from '#shared/sparkplug/topics.ts'
import { type ProtoPayloadObject, protoDecode } from './sparkplug-decoder.ts'

/** A message that the host published. */
export interface Published {
  readonly topic: string
  readonly qos: number
  readonly retain: boolean
  readonly payload: ProtoPayloadObject
}

/** A broker without wires: what a test says reaches the host within the call. */
export interface LoopBroker extends Broker {
  /** Hands a message to the host, as an edge's. */
  say(topic: string, payload: Uint8Array): void
  /** Commands of the host, in order. */
  readonly published: Published[]
  /** Reasons of refusals, in order. */
  readonly refused: string[]
  /** Says that the connection is lost, or there again. */
  link(isUp: boolean): void
  /** Called with each command, after it was taken down. */
  onPublish: ((message: Published) => void) | undefined
}

/** Opens one. */
export function loopBroker(): LoopBroker {
  const handlers: MessageHandler[] = []
  const listeners: ((isUp: boolean) => void)[] = []
  const published: Published[] = []
  const refused: string[] = []
  const done = async () => undefined
  const self: LoopBroker = {
    host: '127.0.0.1',
    port: 0,
    published,
    refused,
    onPublish: undefined,
    say(text, payload) {
      const topic = parseTopic(text)
      if (!topic) return
      for (const handle of handlers) handle(topic, Buffer.from(payload))
    },
    consume: async (handle) => void handlers.push(handle),
    subscribeEdge: done,
    unsubscribeEdge: done,
    holdState: done,
    releaseState: done,
    yieldState: done,
    watchState: done,
    async publish(topic, payload, { qos, retain }) {
      const message = { topic, qos, retain, payload: protoDecode(payload) }
      published.push(message)
      self.onPublish?.(message)
    },
    disconnect: () => undefined,
    onLink: (hear) => void listeners.push(hear),
    hold: () => undefined,
    link(isUp) {
      for (const hear of listeners) hear(isUp)
    },
    fault: () => undefined,
    refuse: (reason) => void refused.push(reason),
    close: done,
  }
  return self
}
