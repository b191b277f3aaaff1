import { type ProtoMetric, VALUE_FIELDS } from '#tests/support/sparkplug-decoder.ts'
import type { HostEvent, HostPublish, Told, View } from './host-capture.ts'

type Events = readonly HostEvent[]
type Connect = Extract<HostEvent, { kind: 'connect' }>

/** The reorder time-out of the scenario. */
export const REORDER_MS = 20_000
/** What its DDEATH tells as its time, before the host's. */
export const DIED_BEFORE_MS = 7000
export const STATE_TOPIC = 'spBv1.0/STATE/andon'
export const REBIRTH = 'Node Control/Rebirth'

/** Reads a STATE; undefined when it is not a JSON of exactly `online` and `timestamp`. */
export function readState(text: string): { online: boolean; timestamp: number } | undefined {
  let value: Record<string, unknown>
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const isState = typeof value.online === 'boolean' && Number.isSafeInteger(value.timestamp)
  return isState && Object.keys(value).length === 2 ? (value as { online: boolean; timestamp: number }) : undefined
}

export const publishes = (events: Events) => events.filter((event) => event.kind === 'publish')
export const states = (events: Events) => publishes(events).filter(({ message }) => message === 'STATE')
export const births = (events: Events) => states(events).filter(({ text }) => text.includes('true'))
export const deaths = (events: Events) => states(events).filter(({ text }) => text.includes('false'))
export const connects = (events: Events) => events.filter((event) => event.kind === 'connect')
export const commands = (events: Events, ...verbs: readonly ('NCMD' | 'DCMD')[]) =>
  publishes(events).filter(({ message }) =>
    verbs.length === 0 ? message !== 'STATE' : (verbs as readonly string[]).includes(message),
  )
export const metricsOf = (event: HostPublish | Told): readonly ProtoMetric[] => event.payload.metrics ?? []
export const isRebirth = (event: HostPublish) => metricsOf(event).some(({ name }) => name === REBIRTH)
export const rebirths = (events: Events) => commands(events).filter(isRebirth)
export const told = (events: Events, message: string) =>
  events.filter((event): event is Told => event.kind === 'told' && event.message === message)
export const willOf = ({ packet }: Connect) =>
  packet.will && { ...packet.will, state: readState(Buffer.from(packet.will.payload).toString('utf8')) }

/** What happened in each connection of the host, from its CONNECT on. */
export function connections(events: Events): HostEvent[][] {
  const starts = events.flatMap(({ kind }, i) => (kind === 'connect' ? [i] : []))
  return starts.map((start, i) => events.slice(start, starts[i + 1]))
}

/** The view of a moment; a fault when nobody looked. */
export function viewOf(events: Events, moment: string): View {
  const found = events.find((event) => event.kind === 'view' && event.moment === moment)
  if (found?.kind !== 'view') throw new Error(`Nobody looked at the moment "${moment}"`)
  return found
}

/** The metric that a command writes to, as the births announced it. */
export function bornMetric(events: Events, command: HostPublish, metric: ProtoMetric): ProtoMetric | undefined {
  const birth = told(events, command.message === 'NCMD' ? 'NBIRTH' : 'DBIRTH').find(
    ({ device }) => device === command.device,
  )
  const metrics = birth ? metricsOf(birth) : []
  return metrics.find((born) => (metric.name === undefined ? born.alias === metric.alias : born.name === metric.name))
}

export const valueField = (metric: ProtoMetric) => VALUE_FIELDS.find((field) => metric[field] !== undefined)

/** Faults of things; a clause that has nothing to look at has not been tested. */
export function each<T>(
  things: readonly T[],
  fault: (thing: T, index: number) => string | false | undefined,
): string[] {
  if (things.length === 0) return ['nothing in the transcript to check']
  return things.flatMap((thing, i) => fault(thing, i) || [])
}

type Mutant = (events: HostEvent[]) => HostEvent[]

/** Changes every published message that matches. */
export const changePublish =
  (matches: (event: HostPublish) => boolean, to: (event: HostPublish) => HostPublish | []): Mutant =>
  (events) =>
    events.flatMap((event) => (event.kind === 'publish' && matches(event) ? to(event) : event))

/** Changes every metric of matching commands. */
export const changeMetrics = (
  matches: (event: HostPublish) => boolean,
  to: (metric: ProtoMetric) => ProtoMetric,
): Mutant =>
  changePublish(matches, (event) => ({
    ...event,
    payload: { ...event.payload, metrics: metricsOf(event).map((metric) => to(metric)) },
  }))

/** Changes what people saw at a moment. */
export const changeView =
  (moment: string, to: (view: View) => View): Mutant =>
  (events) =>
    events.map((event) => (event.kind === 'view' && event.moment === moment ? to(event) : event))

export const changeConnect =
  (to: (packet: Connect['packet']) => object): Mutant =>
  (events) =>
    events.map((event) =>
      event.kind === 'connect' ? { ...event, packet: { ...event.packet, ...to(event.packet) } } : event,
    )

export const changeWill = (to: object): Mutant => changeConnect(({ will }) => ({ will: { ...will, ...to } }))
