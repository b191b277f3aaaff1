import type { HostEvent, HostPublish } from './host-capture.ts'
import {
  births,
  bornMetric,
  changeConnect,
  changeMetrics,
  changePublish,
  changeView,
  changeWill,
  commands,
  connections,
  connects,
  DIED_BEFORE_MS,
  deaths,
  each,
  isRebirth,
  metricsOf,
  publishes,
  REBIRTH,
  REORDER_MS,
  readState,
  rebirths,
  STATE_TOPIC,
  states,
  told,
  valueField,
  viewOf,
  willOf,
} from './host-events.ts'

type Events = readonly HostEvent[]

/** Where a clause can be seen: only a host on an outside broker sends packets of its own. */
export type Where = 'both' | 'embedded' | 'external'

/**
 * A testable clause of the Sparkplug 3.0 specification that binds a host application. `check` answers every fault that it
 * sees in a transcript; `mutant` breaks a good transcript so that the check must see one.
 */
export interface HostClause {
  readonly id: string
  /** What it demands, in short. */
  readonly words: string
  readonly where: Where
  readonly check: (events: Events) => string[]
  readonly mutant: (events: HostEvent[]) => HostEvent[]
}

type Rows = Readonly<Record<string, string>>
type Way = Omit<HostClause, 'id' | 'words'>

/** Clauses that are checked in one way, each with its words. */
const clauses = (rows: Rows, way: Way): HostClause[] =>
  Object.entries(rows).map(([id, words]) => ({ id, words, ...way }))

const isBirth = ({ message, text }: HostPublish) => message === 'STATE' && text.includes('true')
const isDeath = ({ message, text }: HostPublish) => message === 'STATE' && text.includes('false')
const isCommand = ({ message }: HostPublish) => message !== 'STATE'
const isWrite = (event: HostPublish) => isCommand(event) && !isRebirth(event)
const isOf = (verb: string) => (event: HostPublish) => event.message === verb
const state =
  (online: boolean) =>
  ({ text }: HostPublish) =>
    readState(text)?.online !== online && `the STATE ${text}`
const noState = (event: HostPublish): HostPublish => ({ ...event, text: event.text.replace('timestamp', 'time') })
/** 2020 to 2100 in ms: what a clock of UTC shows. */
const isTime = (ms: unknown) => Number(ms) > 1.577e12 && Number(ms) < 4.102e12

const STATE: HostClause[] = [
  ...clauses(
    {
      'intro-sparkplug-host-state': 'tells whether it is online by STATE',
      'components-ph-state': 'uses STATE to tell whether it is online at any time',
      'conformance-primary-host': 'publishes STATE as birth and death certificate',
      'operational-behavior-host-application-termination': 'publishes its death before it goes on purpose',
    },
    {
      where: 'both',
      check: (events) => [
        ...each(births(events), () => false),
        ...each(states(events).slice(-1), ({ text }) => !text.includes('false') && 'the last STATE is no death'),
      ],
      mutant: changePublish(isDeath, () => []),
    },
  ),
  ...clauses(
    {
      'host-topic-phid-birth-topic': 'publishes its birth on spBv1.0/STATE/host_id',
      'operational-behavior-host-application-connect-birth-topic': 'publishes its birth on spBv1.0/STATE/host_id',
    },
    {
      where: 'both',
      check: (events) => each(births(events), ({ topic }) => topic !== STATE_TOPIC && topic),
      mutant: changePublish(isBirth, (event) => ({ ...event, topic: 'STATE/andon' })),
    },
  ),
  ...clauses(
    {
      'host-topic-phid-birth-qos': 'publishes its birth at QoS 1',
      'operational-behavior-host-application-connect-birth-qos': 'publishes its birth at QoS 1',
    },
    {
      where: 'both',
      check: (events) => each(births(events), ({ qos }) => qos !== 1 && `QoS ${qos}`),
      mutant: changePublish(isBirth, (event) => ({ ...event, qos: 0 })),
    },
  ),
  ...clauses(
    {
      'host-topic-phid-birth-retain': 'publishes its birth retained',
      'operational-behavior-host-application-connect-birth-retained': 'publishes its birth retained',
      'payloads-state-birth': 'publishes its birth on its STATE topic at QoS 1, retained',
    },
    {
      where: 'both',
      check: (events) =>
        each(
          births(events),
          ({ retain, qos, topic }) => (!retain || qos !== 1 || topic !== STATE_TOPIC) && 'a birth that is not retained',
        ),
      mutant: changePublish(isBirth, (event) => ({ ...event, retain: false })),
    },
  ),
  ...clauses(
    {
      'host-topic-phid-birth-payload': 'its birth is JSON of online true and a timestamp',
      'message-flow-phid-sparkplug-state-publish-payload': 'its birth is JSON of online true and a timestamp',
      'operational-behavior-host-application-connect-birth-payload': 'its birth is JSON of online true and a timestamp',
      'payloads-state-birth-payload': 'its birth is JSON of online true and a timestamp',
    },
    {
      where: 'both',
      check: (events) => each(births(events), state(true)),
      mutant: changePublish(isBirth, noState),
    },
  ),
  ...clauses(
    { 'operational-behavior-host-application-death-topic': 'publishes its death on spBv1.0/STATE/host_id' },
    {
      where: 'both',
      check: (events) => each(deaths(events), ({ topic }) => topic !== STATE_TOPIC && topic),
      mutant: changePublish(isDeath, (event) => ({ ...event, topic: 'spBv1.0/STATE/other' })),
    },
  ),
  ...clauses(
    { 'operational-behavior-host-application-death-qos': 'publishes its death at QoS 1' },
    {
      where: 'both',
      check: (events) => each(deaths(events), ({ qos }) => qos !== 1 && `QoS ${qos}`),
      mutant: changePublish(isDeath, (event) => ({ ...event, qos: 0 })),
    },
  ),
  ...clauses(
    { 'operational-behavior-host-application-death-payload': 'its death is JSON of online false and a timestamp' },
    {
      where: 'both',
      check: (events) => each(deaths(events), state(false)),
      mutant: changePublish(isDeath, noState),
    },
  ),
  ...clauses(
    { 'operational-behavior-host-application-death-retained': 'publishes its death retained' },
    {
      where: 'external',
      check: (events) => each(deaths(events), ({ retain }) => !retain && 'a death that is not retained'),
      mutant: changePublish(isDeath, (event) => ({ ...event, retain: false })),
    },
  ),
  ...clauses(
    {
      'host-topic-phid-death-payload-timestamp-disconnect-with-no-disconnect-packet':
        'publishes its death with the present time before it goes without DISCONNECT',
    },
    {
      where: 'embedded',
      check: (events) =>
        each(deaths(events), ({ text, at }) => {
          const told = readState(text)?.timestamp ?? 0
          return Math.abs(at - told) > 5000 && `a death of ${told} at ${at}`
        }),
      mutant: changePublish(isDeath, (event) => ({ ...event, text: '{"online":false,"timestamp":1}' })),
    },
  ),
]

/** Order of things in each connection to an outside broker. */
function orderFaults(events: Events, needsEdges: boolean): string[] {
  return each(connections(events), (connection, i) => {
    const born = connection.findIndex((event) => event.kind === 'publish')
    const first = connection[born]
    if (first?.kind !== 'publish' || !isBirth(first)) return `connection ${i} begins with another message than STATE`
    const filters = connection.slice(0, born).flatMap((event) => (event.kind === 'subscribe' ? event.filters : []))
    if (!filters.includes(STATE_TOPIC)) return `connection ${i} publishes its birth before it subscribes to STATE`
    // At the first connection no edge is registered yet.
    const hears = filters.some((filter) => /^spBv1\.0\/plant\/\+\/line-1\/#$/.test(filter))
    return needsEdges && i > 0 && !hears && `connection ${i} publishes its birth before it hears its edges`
  })
}

const swapFirstPublish = (events: HostEvent[]): HostEvent[] => {
  const start = events.findIndex(({ kind }) => kind === 'connect')
  const birth = events.findIndex((event, i) => i > start && event.kind === 'publish')
  const [moved] = events.slice(birth, birth + 1)
  const rest = events.filter((_, i) => i !== birth)
  return moved ? [...rest.slice(0, start + 1), moved, ...rest.slice(start + 1)] : events
}

const laterFirst = (events: HostEvent[]): HostEvent[] => {
  const start = events.findIndex(({ kind }) => kind === 'connect')
  const command = events.find((event) => event.kind === 'publish' && isCommand(event))
  return command ? [...events.slice(0, start + 1), command, ...events.slice(start + 1)] : events
}

const OUTSIDE: HostClause[] = [
  ...clauses(
    {
      'message-flow-phid-sparkplug-clean-session-50':
        'connects by MQTT 5 with Clean Start and Session Expiry Interval 0',
    },
    {
      where: 'external',
      check: (events) =>
        each(connects(events), ({ packet }) => {
          const expiry = packet.properties?.sessionExpiryInterval ?? 0
          return (
            (packet.protocolVersion !== 5 || !packet.clean || expiry !== 0) && 'a session that outlives its connection'
          )
        }),
      mutant: changeConnect(() => ({ properties: { sessionExpiryInterval: 60 } })),
    },
  ),
  ...clauses(
    {
      'message-flow-phid-sparkplug-subscription': 'subscribes to the namespace and its STATE before it publishes STATE',
      'host-topic-phid-birth-sub-required': 'subscribes to its STATE and to the topics of its edges on connecting',
      'payloads-state-subscribe': 'subscribes to its STATE on connecting',
    },
    { where: 'external', check: (events) => orderFaults(events, true), mutant: swapFirstPublish },
  ),
  ...clauses(
    {
      'message-flow-phid-sparkplug-state-publish': 'publishes STATE once its subscriptions stand',
      'host-topic-phid-birth-required': 'publishes STATE once its subscriptions stand',
      'operational-behavior-host-application-connect-birth': 'publishes its birth at once after connecting',
    },
    { where: 'external', check: (events) => orderFaults(events, false), mutant: changePublish(isBirth, () => []) },
  ),
  ...clauses(
    {
      'host-topic-phid-birth-message': 'publishes its birth first of all messages',
      'principles-birth-certificates-order': 'publishes its birth first of all messages',
      'operational-behavior-primary-application-state-with-multiple-servers-state':
        'publishes STATE first in each new session with a server',
    },
    { where: 'external', check: (events) => orderFaults(events, false), mutant: laterFirst },
  ),
  ...clauses(
    {
      'host-topic-phid-birth-payload-timestamp': "its birth repeats the timestamp of the CONNECT's will",
      'message-flow-phid-sparkplug-state-publish-payload-timestamp':
        "its birth repeats the timestamp of the CONNECT's will",
    },
    {
      where: 'external',
      check: (events) =>
        each(connections(events), (connection) => {
          const [connect] = connects(connection)
          const will = connect && willOf(connect)?.state?.timestamp
          return births(connection).some(({ text }) => readState(text)?.timestamp !== will) && 'a birth of another time'
        }),
      mutant: changePublish(isBirth, (event) => ({ ...event, text: '{"online":true,"timestamp":1795000000000}' })),
    },
  ),
  ...clauses(
    {
      'host-topic-phid-death-required': 'connects with its death as will',
      'operational-behavior-host-application-connect-will': 'connects with a will',
      'payloads-state-will-message': 'connects with a will',
    },
    {
      where: 'external',
      check: (events) => each(connects(events), (event) => !willOf(event) && 'CONNECT without will'),
      mutant: changeConnect(() => ({ will: undefined })),
    },
  ),
  ...clauses(
    {
      'host-topic-phid-death-topic': 'its will is on spBv1.0/STATE/host_id',
      'operational-behavior-host-application-connect-will-topic': 'its will is on spBv1.0/STATE/host_id',
    },
    {
      where: 'external',
      check: (events) => each(connects(events), ({ packet }) => packet.will?.topic !== STATE_TOPIC && 'another topic'),
      mutant: changeWill({ topic: 'STATE/andon' }),
    },
  ),
  ...clauses(
    {
      'host-topic-phid-death-payload': 'its will is JSON of online false and a timestamp',
      'operational-behavior-host-application-connect-will-payload': 'its will is JSON of online false and a timestamp',
      'payloads-state-will-message-payload': 'its will is JSON of online false and a timestamp',
    },
    {
      where: 'external',
      check: (events) => each(connects(events), (event) => willOf(event)?.state?.online !== false && 'another payload'),
      mutant: changeWill({ payload: Buffer.from('OFFLINE') }),
    },
  ),
  ...clauses(
    {
      'host-topic-phid-death-qos': 'its will is at QoS 1',
      'operational-behavior-host-application-connect-will-qos': 'its will is at QoS 1',
      'payloads-state-will-message-qos': 'its will is at QoS 1',
    },
    {
      where: 'external',
      check: (events) => each(connects(events), ({ packet }) => packet.will?.qos !== 1 && 'another QoS'),
      mutant: changeWill({ qos: 0 }),
    },
  ),
  ...clauses(
    {
      'host-topic-phid-death-retain': 'its will is retained',
      'operational-behavior-host-application-connect-will-retained': 'its will is retained',
      'payloads-state-will-message-retain': 'its will is retained',
    },
    {
      where: 'external',
      check: (events) => each(connects(events), ({ packet }) => packet.will?.retain !== true && 'not retained'),
      mutant: changeWill({ retain: false }),
    },
  ),
  ...clauses(
    { 'host-topic-phid-death-payload-timestamp-connect': 'its will carries the time of the CONNECT' },
    {
      where: 'external',
      check: (events) =>
        each(connects(events), (event) => {
          const said = willOf(event)?.state?.timestamp ?? 0
          return Math.abs(said - event.at) > 5000 && `a will of ${said} at ${event.at}`
        }),
      mutant: changeWill({ payload: Buffer.from('{"online":false,"timestamp":1795000000000}') }),
    },
  ),
  ...clauses(
    {
      'host-topic-phid-death-payload-timestamp-disconnect-clean': 'publishes its death before it sends DISCONNECT',
      'operational-behavior-host-application-disconnect-intentional': 'may send DISCONNECT right after its death',
    },
    {
      where: 'external',
      check: (events) =>
        each(
          events.flatMap((event, i) => (event.kind === 'disconnect' ? [i] : [])),
          (index) => {
            const before = publishes(events.slice(0, index)).at(-1)
            return (!before || !isDeath(before)) && 'DISCONNECT without a death before it'
          },
        ),
      mutant: changePublish(isDeath, () => []),
    },
  ),
  ...clauses(
    {
      'message-flow-hid-sparkplug-state-message-delivered': 'publishes its birth again when its STATE is told offline',
    },
    {
      where: 'external',
      check: (events) =>
        each(told(events, 'STATE'), (event) => {
          const next = publishes(events.slice(events.indexOf(event)))[0]
          return (!next || !isBirth(next)) && 'an offline that nobody answered'
        }),
      mutant: (events) => {
        const from = events.findIndex((event) => event.kind === 'told' && event.message === 'STATE')
        return events.filter((event, i) => i < from || event.kind !== 'publish' || !isBirth(event))
      },
    },
  ),
]

const FIELD_OF_TYPE: Readonly<Record<number, string>> = {
  2: 'int_value',
  3: 'int_value',
  10: 'double_value',
  11: 'boolean_value',
  12: 'string_value',
}

/** Clauses that say the same of NCMD and DCMD. */
function perVerb(verb: 'NCMD' | 'DCMD'): HostClause[] {
  const key = verb.toLowerCase()
  const level = verb === 'NCMD' ? 'node' : 'device'
  const topic = verb === 'NCMD' ? 'spBv1.0/plant/NCMD/line-1' : 'spBv1.0/plant/DCMD/line-1/meter-1'
  const all = (fault: (event: HostPublish) => string | false) => (events: Events) => each(commands(events, verb), fault)
  const writes = (fault: (events: Events, event: HostPublish) => string | false) => (events: Events) =>
    each(commands(events, verb).filter(isWrite), (event) => fault(events, event))
  const each1 = (to: (event: HostPublish) => HostPublish) => changePublish(isOf(verb), to)
  return [
    ...clauses(
      { [`topics-${key}-topic`]: `is sent on the ${verb} topic of its ${level}` },
      {
        where: 'both',
        check: all((event) => event.topic !== topic && event.topic),
        mutant: each1((event) => ({ ...event, topic: `${event.topic}/x` })),
      },
    ),
    ...clauses(
      { [`topics-${key}-mqtt`]: 'is sent at QoS 0, not retained', [`payloads-${key}-qos`]: 'is sent at QoS 0' },
      {
        where: 'both',
        check: all(({ qos, retain }) => (qos !== 0 || retain) && `${verb} at QoS ${qos}, retained ${retain}`),
        mutant: each1((event) => ({ ...event, qos: 1 })),
      },
    ),
    ...clauses(
      { [`payloads-${key}-retain`]: 'is sent not retained' },
      {
        where: 'both',
        check: all(({ retain }) => retain && `${verb} retained`),
        mutant: each1((event) => ({ ...event, retain: true })),
      },
    ),
    ...clauses(
      {
        [`topics-${key}-timestamp`]: 'carries the time of sending',
        [`payloads-${key}-timestamp`]: 'carries the time of sending',
      },
      {
        where: 'both',
        check: all(({ payload }) => !isTime(payload.timestamp) && `${verb} without timestamp`),
        mutant: each1((event) => ({ ...event, payload: { metrics: [...metricsOf(event)] } })),
      },
    ),
    ...clauses(
      { [`payloads-${key}-seq`]: 'carries no sequence number' },
      {
        where: 'both',
        check: all(({ payload }) => payload.seq !== undefined && `${verb} with a sequence number`),
        mutant: each1((event) => ({ ...event, payload: { ...event.payload, seq: '0' } })),
      },
    ),
    ...clauses(
      { [`topics-${key}-payload`]: 'carries the metrics to be written' },
      {
        where: 'both',
        check: all((event) => metricsOf(event).length === 0 && `${verb} without metrics`),
        mutant: each1((event) => ({ ...event, payload: { ...event.payload, metrics: [] } })),
      },
    ),
    ...clauses(
      {
        [`operational-behavior-data-commands-${key}-verb`]: `a command to a ${level} is a ${verb}`,
        [`operational-behavior-data-commands-${key}-metric-name`]: `names a metric of the birth of its ${level}`,
      },
      {
        where: 'both',
        check: writes(
          (events, event) =>
            metricsOf(event).some((metric) => !bornMetric(events, event, metric)) && 'a metric that no birth announced',
        ),
        mutant: changePublish(isOf(verb), (event) => ({ ...event, message: verb === 'NCMD' ? 'DCMD' : 'NCMD' })),
      },
    ),
    ...clauses(
      { [`operational-behavior-data-commands-${key}-metric-value`]: 'carries a value of the type of the birth' },
      {
        where: 'both',
        check: writes((events, event) => {
          const misfit = metricsOf(event).find(
            (metric) => valueField(metric) !== FIELD_OF_TYPE[bornMetric(events, event, metric)?.datatype ?? 0],
          )
          return misfit ? `a ${valueField(misfit)} for ${misfit.name ?? misfit.alias}` : false
        }),
        mutant: changeMetrics(isOf(verb), ({ name, alias }) => ({
          ...(name === undefined ? {} : { name }),
          ...(alias === undefined ? {} : { alias }),
          float_value: 1,
        })),
      },
    ),
  ]
}

const everyMetric = (fault: (metric: ReturnType<typeof metricsOf>[number]) => string | false) => (events: Events) =>
  each(commands(events).flatMap(metricsOf), fault)

const COMMANDS: HostClause[] = [
  ...perVerb('NCMD'),
  ...perVerb('DCMD'),
  ...clauses(
    { 'operational-behavior-data-commands-ncmd-rebirth-verb': 'a rebirth request is an NCMD' },
    {
      where: 'both',
      check: (events) => each(rebirths(events), ({ message }) => message !== 'NCMD' && message),
      mutant: changePublish(isRebirth, (event) => ({ ...event, message: 'DCMD' })),
    },
  ),
  ...clauses(
    { 'operational-behavior-data-commands-ncmd-rebirth-name': 'a rebirth request names Node Control/Rebirth' },
    {
      where: 'both',
      check: (events) =>
        each(
          rebirths(events),
          (event) =>
            metricsOf(event).some(({ name, alias }) => name !== REBIRTH || alias !== undefined) && 'another name',
        ),
      mutant: changeMetrics(isRebirth, (metric) => ({ ...metric, alias: '1' })),
    },
  ),
  ...clauses(
    { 'operational-behavior-data-commands-ncmd-rebirth-value': 'a rebirth request carries true' },
    {
      where: 'both',
      check: (events) =>
        each(rebirths(events), (event) => metricsOf(event).some((m) => m.boolean_value !== true) && 'another value'),
      mutant: changeMetrics(isRebirth, (metric) => ({ ...metric, boolean_value: false })),
    },
  ),
  ...clauses(
    {
      'topic-structure': 'uses the topics of the namespace alone',
      'topic-structure-namespace-a': 'begins its topics with spBv1.0',
      'topic-structure-namespace-device-id-associated-message-types': 'names the device in DCMD topics',
      'topic-structure-namespace-device-id-non-associated-message-types': 'names no device in NCMD and STATE topics',
    },
    {
      where: 'both',
      check: (events) =>
        each(
          publishes(events),
          ({ topic }) => !/^spBv1\.0\/(STATE\/[^/]+|[^/]+\/(NCMD\/[^/]+|DCMD\/[^/]+\/[^/]+))$/.test(topic) && topic,
        ),
      mutant: changePublish(isOf('DCMD'), (event) => ({ ...event, topic: 'spBv1.0/plant/DCMD/line-1' })),
    },
  ),
  ...clauses(
    {
      'payloads-name-requirement': 'names each metric unless it has an alias',
      'payloads-alias-data-cmd-requirement': 'writes by alias alone where the birth gave one',
    },
    {
      where: 'both',
      check: (events) =>
        each(
          commands(events)
            .filter(isWrite)
            .flatMap((event) => metricsOf(event).map((metric) => ({ event, metric }))),
          ({ event, metric }) => {
            const alias = bornMetric(events, event, metric)?.alias
            const isRight =
              alias === undefined ? metric.name !== undefined : metric.alias === alias && metric.name === undefined
            return !isRight && `${metric.name} with alias ${metric.alias}`
          },
        ),
      mutant: changeMetrics(isOf('DCMD'), (metric) => ({ ...metric, name: 'setpoint' })),
    },
  ),
  ...clauses(
    {
      'payloads-name-cmd-requirement': 'may give metrics of commands a timestamp, and does',
      'payloads-metric-timestamp-in-UTC': 'gives metric timestamps in ms of UTC',
    },
    {
      where: 'both',
      check: everyMetric(({ timestamp }) => !isTime(timestamp) && `a metric of the time ${timestamp}`),
      mutant: changeMetrics(isCommand, (metric) => ({ ...metric, timestamp: '1795475' })),
    },
  ),
  ...clauses(
    { 'payloads-timestamp-in-UTC': 'gives payload timestamps in ms of UTC' },
    {
      where: 'both',
      check: (events) => each(commands(events), ({ payload }) => !isTime(payload.timestamp) && `${payload.timestamp}`),
      mutant: changePublish(isCommand, (event) => ({ ...event, payload: { ...event.payload, timestamp: '1795475' } })),
    },
  ),
  ...clauses(
    { 'payloads-metric-datatype-not-req': 'leaves the datatype out of commands' },
    {
      where: 'both',
      check: everyMetric(({ datatype }) => datatype !== undefined && `a command with datatype ${datatype}`),
      mutant: changeMetrics(isRebirth, (metric) => ({ ...metric, datatype: 11 })),
    },
  ),
]

const isMeter1 = (path: string) => path.startsWith('meter-1/')
const freshTags = (events: Events, moment: string, matches: (path: string) => boolean) =>
  each(
    Object.entries(viewOf(events, moment).tags).filter(([path]) => matches(path)),
    ([path, { isStale }]) => !isStale && `${path} is fresh after the death`,
  )
const refresh = (moment: string, path: string) =>
  changeView(moment, (view) => ({ ...view, tags: { ...view.tags, [path]: { value: 1, isStale: false } } }))
const revive = (moment: string, device: string) =>
  changeView(moment, (view) => ({
    ...view,
    devices: { ...view.devices, [device]: { status: 'online', diedAt: null } },
  }))

const DEATHS: HostClause[] = [
  ...clauses(
    {
      'operational-behavior-edge-node-termination-host-action-ndeath-node-offline':
        'takes a node offline at its own time when its NDEATH comes',
    },
    {
      where: 'both',
      check: (events) => {
        const { edge, disconnectedAt, at } = viewOf(events, 'node dead')
        const isNow = disconnectedAt !== null && Math.abs(at - disconnectedAt) < 20_000
        return edge === 'offline' && isNow ? [] : [`the node is ${edge} since ${disconnectedAt}`]
      },
      mutant: changeView('node dead', (view) => ({ ...view, disconnectedAt: 1 })),
    },
  ),
  ...clauses(
    {
      'operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale':
        'makes the metrics of a dead node stale',
    },
    {
      where: 'both',
      check: (events) => freshTags(events, 'node dead', (path) => path.startsWith('_node/')),
      mutant: refresh('node dead', '_node/cpu'),
    },
  ),
  ...clauses(
    {
      'operational-behavior-edge-node-termination-host-action-ndeath-devices-offline':
        'takes the devices of a dead node offline',
    },
    {
      where: 'both',
      check: (events) =>
        each(
          Object.entries(viewOf(events, 'node dead').devices),
          ([device, { status }]) => status !== 'offline' && `${device} is ${status}`,
        ),
      mutant: revive('node dead', 'meter-2'),
    },
  ),
  ...clauses(
    {
      'operational-behavior-edge-node-termination-host-action-ndeath-devices-tags-stale':
        'makes the metrics of the devices of a dead node stale',
    },
    {
      where: 'both',
      check: (events) => freshTags(events, 'node dead', (path) => path.startsWith('meter-')),
      mutant: refresh('node dead', 'meter-2/power'),
    },
  ),
  ...clauses(
    {
      'operational-behavior-edge-node-termination-host-action-ddeath-devices-offline':
        'takes a device offline at the time of its DDEATH',
    },
    {
      where: 'both',
      check: (events) => {
        const { devices } = viewOf(events, 'device dead')
        const [death] = told(events, 'DDEATH')
        const dead = devices['meter-1']
        const isTold = String(dead?.diedAt) === death?.payload.timestamp
        const faults = dead?.status === 'offline' && isTold ? [] : [`meter-1 is ${dead?.status} since ${dead?.diedAt}`]
        return devices['meter-2']?.status === 'online' ? faults : [...faults, 'meter-2 died too']
      },
      mutant: changeView('device dead', (view) => ({
        ...view,
        devices: {
          ...view.devices,
          'meter-1': { status: 'offline', diedAt: (view.devices['meter-1']?.diedAt ?? 0) + DIED_BEFORE_MS },
        },
      })),
    },
  ),
  ...clauses(
    {
      'operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale':
        'makes the metrics of a dead device stale',
    },
    {
      where: 'both',
      check: (events) => freshTags(events, 'device dead', isMeter1),
      mutant: refresh('device dead', 'meter-1/label'),
    },
  ),
]

const power = (events: Events, moment: string) => viewOf(events, moment).tags['meter-1/power']?.value
const rebirthsBetween = (events: Events, from: string, to: string) => {
  const [start, end] = [viewOf(events, from), viewOf(events, to)].map((view) => events.indexOf(view))
  return rebirths(events.slice(start, end)).length
}
const addRebirth = (moment: string) => (events: HostEvent[]) => {
  const at = events.findIndex((event) => event.kind === 'view' && event.moment === moment)
  const request = events.find((event) => event.kind === 'publish' && isRebirth(event))
  return request ? [...events.slice(0, at), request, ...events.slice(at)] : events
}

const ORDER: HostClause[] = [
  ...clauses(
    {
      'operational-behavior-host-reordering-param': `has a reorder time-out that can be set, here ${REORDER_MS / 1000} s`,
    },
    {
      where: 'both',
      check: (events) =>
        rebirthsBetween(events, 'born', 'waiting') === 0 && rebirthsBetween(events, 'waiting', 'given up') === 1
          ? []
          : ['no request, or one at another time than was set'],
      mutant: addRebirth('waiting'),
    },
  ),
  ...clauses(
    { 'operational-behavior-host-reordering-start': 'waits when a message comes out of order' },
    {
      where: 'both',
      check: (events) => (power(events, 'held') === 1 ? [] : [`took ${power(events, 'held')} out of order`]),
      mutant: changeView('held', (view) => ({ ...view, tags: { 'meter-1/power': { value: 3, isStale: false } } })),
    },
  ),
  ...clauses(
    {
      'operational-behavior-host-reordering-rebirth':
        'asks for a rebirth when the missing message did not come in time',
    },
    {
      where: 'both',
      check: (events) => (rebirthsBetween(events, 'waiting', 'given up') === 1 ? [] : ['no rebirth request']),
      mutant: changePublish(isRebirth, () => []),
    },
  ),
  ...clauses(
    {
      'operational-behavior-host-reordering-success':
        'goes on as if nothing were when the missing message comes in time',
    },
    {
      where: 'both',
      check: (events) => {
        const asked = rebirthsBetween(events, 'born', 'filled')
        return asked === 0 && power(events, 'filled') === 3
          ? []
          : [`${asked} requests, power ${power(events, 'filled')}`]
      },
      mutant: addRebirth('filled'),
    },
  ),
]

/** Every clause that is checked on the wire. */
export const HOST_CLAUSES: readonly HostClause[] = [...STATE, ...OUTSIDE, ...COMMANDS, ...DEATHS, ...ORDER]

/** Clauses that bind a host application and are not checked on the wire, each with its words and the reason. */
export const HOST_CLAUSES_ELSEWHERE: Readonly<Record<string, { readonly words: string; readonly why: string }>> = {
  'message-flow-phid-sparkplug-clean-session-311': {
    words: 'connects by MQTT 3.1.1 with Clean Session',
    why: 'the host speaks MQTT 5 to outside brokers',
  },
  'operational-behavior-host-application-host-id': {
    words: 'has an id that no other host has',
    why: 'who runs several hosts decides; it cannot be seen from one of them',
  },
  'operational-behavior-primary-application-state-with-multiple-servers-state-subs': {
    words: 'publishes STATE on each of several servers',
    why: 'the host stands on one broker, or on one cluster that is addressed as one',
  },
  'operational-behavior-host-application-multi-server-timestamp': {
    words: 'keeps a STATE timestamp for each of several servers',
    why: 'the host stands on one broker, or on one cluster that is addressed as one',
  },
  'payloads-metric-datatype-value-type': {
    words: 'writes datatypes as unsigned 32-bit integers',
    why: 'cloud/pipeline/host/host.test.ts: only a repeated rebirth request, and commands to senders of before 3.0, carry one',
  },
  'payloads-metric-datatype-value': {
    words: 'writes datatypes of the list',
    why: 'as payloads-metric-datatype-value-type',
  },
  'topic-structure-namespace-valid-group-id': {
    words: 'uses group ids without + / #',
    why: 'shared/sparkplug/topics.test.ts: such a topic cannot be made; registration refuses such ids',
  },
  'topic-structure-namespace-valid-edge-node-id': {
    words: 'uses edge node ids without + / #',
    why: 'shared/sparkplug/topics.test.ts',
  },
  'topic-structure-namespace-valid-device-id': {
    words: 'uses device ids without + / #',
    why: 'shared/sparkplug/topics.test.ts',
  },
  'case-sensitivity-sparkplug-ids': {
    words: 'ids should not differ by case alone',
    why: 'a recommendation to whoever names things; the host takes ids as they are',
  },
  'case-sensitivity-metric-names': {
    words: 'metric names should not differ by case alone',
    why: 'a recommendation to whoever names things; the host takes names as they are',
  },
  '(5.2, without an id)': {
    words: 'makes all metrics stale when it loses the MQTT server',
    why: 'marked as not testable by the specification; cloud/pipeline/host/host.test.ts tests it',
  },
}
