import { type ProtoMetric, protoDecode } from '#tests/support/sparkplug-decoder.ts'
import type { PublishEvent, WireEvent } from './capture.ts'

/**
 * A testable clause of the Sparkplug 3.0 specification that binds an edge node. `check` answers every fault that it sees
 * in a transcript; `mutant` breaks a good transcript so that the check must see one.
 */
export interface Clause {
  readonly id: string
  /** The transcript it is seen in, where that is not the one life of a node: one that follows a primary host. */
  readonly scene?: 'primary-host'
  readonly check: (events: readonly WireEvent[]) => string[]
  readonly mutant: (events: WireEvent[]) => WireEvent[]
}

export type Message = 'NBIRTH' | 'DBIRTH' | 'NDATA' | 'DDATA' | 'NDEATH' | 'DDEATH'
export const BIRTHS: readonly Message[] = ['NBIRTH', 'DBIRTH']
export const DATA: readonly Message[] = ['NDATA', 'DDATA']
export const KNOWN_TYPES = new Set(Array.from({ length: 34 }, (_, i) => i + 1))

export const published = (events: readonly WireEvent[], ...messages: readonly Message[]): PublishEvent[] =>
  events.filter(
    (event): event is PublishEvent =>
      event.kind === 'publish' && (messages.length === 0 || messages.includes(event.message as Message)),
  )
export const metricsOf = (event: PublishEvent): readonly ProtoMetric[] => event.payload.metrics ?? []
export const metricOf = (event: PublishEvent | undefined, name: string) =>
  event && metricsOf(event).find((m) => m.name === name)
export const connects = (events: readonly WireEvent[]) => events.filter((event) => event.kind === 'connect')
export const willOf = (event: Extract<WireEvent, { kind: 'connect' }>) => {
  const { will } = event.packet
  return will && { ...will, decoded: protoDecode(Buffer.from(will.payload)) }
}
export const bdSeqOf = (metrics: readonly ProtoMetric[] | undefined) =>
  metrics?.find((m) => m.name === 'bdSeq')?.long_value

/** Faults of things; a clause that has nothing to look at has not been tested. */
export function each<T>(
  things: readonly T[],
  fault: (thing: T, index: number) => string | false | undefined,
): string[] {
  if (things.length === 0) return ['nothing in the transcript to check']
  return things.flatMap((thing, i) => fault(thing, i) || [])
}

/** Changes the first published message of a kind. */
export const change =
  (message: Message, to: (event: PublishEvent) => PublishEvent) =>
  (events: WireEvent[]): WireEvent[] => {
    const at = events.findIndex((event) => event.kind === 'publish' && event.message === message)
    return events.map((event, i) => (i === at ? to(event as PublishEvent) : event))
  }
export const changePayload = (message: Message, to: (payload: PublishEvent['payload']) => PublishEvent['payload']) =>
  change(message, (event) => ({ ...event, payload: to(event.payload) }))
export const changeMetric = (
  message: Message,
  matches: (metric: ProtoMetric) => boolean,
  to: (metric: ProtoMetric) => ProtoMetric | [],
) =>
  changePayload(message, (payload) => {
    const at = (payload.metrics ?? []).findIndex(matches)
    return { ...payload, metrics: (payload.metrics ?? []).flatMap((metric, i) => (i === at ? to(metric) : metric)) }
  })
export const named = (name: string) => (metric: ProtoMetric) => metric.name === name
export const without = (key: string) => (object: object) =>
  Object.fromEntries(Object.entries(object).filter(([k]) => k !== key)) as never
export const changeConnect =
  (to: (packet: Extract<WireEvent, { kind: 'connect' }>['packet']) => object) =>
  (events: WireEvent[]): WireEvent[] => {
    const at = events.findIndex((event) => event.kind === 'connect')
    return events.map((event, i) =>
      i === at && event.kind === 'connect' ? { ...event, packet: { ...event.packet, ...to(event.packet) } } : event,
    )
  }
export const changeWill = (to: object) => changeConnect(({ will }) => ({ will: { ...will, ...to } }))
export const swapFirst = (message: Message, before: Message) => (events: WireEvent[]) => {
  const from = events.findIndex((event) => event.kind === 'publish' && event.message === message)
  const to = events.findIndex((event) => event.kind === 'publish' && event.message === before)
  const moved = events.filter((_, i) => i !== from)
  return [...moved.slice(0, to), ...events.slice(from, from + 1), ...moved.slice(to)]
}
