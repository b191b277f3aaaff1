import { type ProtoMetric, VALUE_FIELDS } from '#tests/support/sparkplug-decoder.ts'
import type { PublishEvent, WireEvent } from './capture.ts'
import {
  BIRTHS,
  bdSeqOf,
  type Clause,
  change,
  changeConnect,
  changeMetric,
  changePayload,
  changeWill,
  connects,
  DATA,
  each,
  KNOWN_TYPES,
  type Message,
  metricOf,
  metricsOf,
  named,
  published,
  swapFirst,
  willOf,
  without,
} from './edge-events.ts'
import { NESTED_CLAUSES } from './edge-nested.ts'
import { PRIMARY_HOST_CLAUSES } from './edge-primary-host.ts'

/** Clauses that say the same of several kinds of message. */
function perMessage(): Clause[] {
  const clauses: Clause[] = []
  const add = (
    id: string,
    message: Message,
    fault: (event: PublishEvent) => string | false,
    mutant: Clause['mutant'],
  ) => clauses.push({ id, check: (events) => each(published(events, message), fault), mutant })
  const isOnTopic = (event: PublishEvent) =>
    new RegExp(`^spBv1\\.0/plant/${event.message}/line-1${event.message.startsWith('D') ? '/[^/]+' : ''}$`).test(
      event.topic,
    )
  for (const message of [...BIRTHS, ...DATA, 'DDEATH'] as const) {
    const key = message.toLowerCase()
    const qos = (event: PublishEvent) => event.qos !== 0 && `${message} at QoS ${event.qos}`
    const retain = (event: PublishEvent) => event.retain && `${message} retained`
    const time = (event: PublishEvent) => !(Number(event.payload.timestamp) > 0) && `${message} without timestamp`
    const seq = (event: PublishEvent) =>
      !(event.payload.seq !== undefined && Number(event.payload.seq) < 256) && `${message} without sequence number`
    const noTime = changePayload(message, without('timestamp'))
    add(
      `topics-${key}-topic`,
      message,
      (event) => !isOnTopic(event) && `topic ${event.topic}`,
      change(message, (e) => ({ ...e, topic: `${e.topic}/x` })),
    )
    add(
      `topics-${key}-mqtt`,
      message,
      (event) => qos(event) || retain(event),
      change(message, (e) => ({ ...e, qos: 1 })),
    )
    if (message !== 'DDEATH') {
      add(
        `payloads-${key}-qos`,
        message,
        qos,
        change(message, (e) => ({ ...e, qos: 1 })),
      )
      add(
        `payloads-${key}-retain`,
        message,
        retain,
        change(message, (e) => ({ ...e, retain: true })),
      )
      add(`topics-${key}-timestamp`, message, time, noTime)
    }
    add(`payloads-${key}-timestamp`, message, time, noTime)
    add(`payloads-${key}-seq`, message, seq, changePayload(message, without('seq')))
  }
  return clauses
}

/** Sequence numbers that do not follow each other within a connection; NBIRTH begins again at 0. */
function sequenceFaults(events: readonly WireEvent[], only?: Message): string[] {
  const last = new Map<number, number>()
  return each(
    published(events).filter(({ message }) => message !== 'NDEATH'),
    ({ connection, message, payload }) => {
      const seq = Number(payload.seq ?? -1)
      const expected = message === 'NBIRTH' ? 0 : ((last.get(connection) ?? -1) + 1) % 256
      last.set(connection, seq)
      return seq !== expected && (!only || only === message) && `${message} has sequence ${seq} instead of ${expected}`
    },
  )
}

const skipSeq = (message: Message) =>
  changePayload(message, (payload) => ({ ...payload, seq: String((Number(payload.seq) + 1) % 256) }))

/** What has been born in each connection before a message, by topic tail. */
function bornBefore(events: readonly WireEvent[], index: number) {
  const target = events[index] as PublishEvent
  const born = new Map<string, Set<string>>()
  for (const event of events.slice(0, index)) {
    if (event.kind !== 'publish' || event.connection !== target.connection) continue
    if (event.message === 'NBIRTH') born.clear()
    if (event.message.endsWith('BIRTH')) {
      born.set(event.device ?? '', new Set(metricsOf(event).flatMap(({ alias }) => alias ?? [])))
    }
    if (event.message === 'DDEATH') born.delete(event.device ?? '')
  }
  return born
}

function unbornFaults(events: readonly WireEvent[], message: 'NDATA' | 'DDATA', isAliasChecked: boolean): string[] {
  const indexes = events.flatMap((event, i) => (event.kind === 'publish' && event.message === message ? [i] : []))
  return each(indexes, (index) => {
    const event = events[index] as PublishEvent
    const born = bornBefore(events, index)
    if (!born.has('')) return `${message} before NBIRTH`
    const own = born.get(event.device ?? '')
    if (!own) return `${message} before the DBIRTH of ${event.device}`
    const unknown = metricsOf(event).find(({ alias }) => alias !== undefined && !own.has(alias))
    return isAliasChecked && unknown && `${message} with alias ${unknown.alias}, which was not born`
  })
}

/** Live data that goes back in time against what was sent before in the same connection. */
function orderFaults(events: readonly WireEvent[], message: 'NDATA' | 'DDATA'): string[] {
  const last = new Map<string, number>()
  return each(published(events, message), (event) => {
    for (const { alias, timestamp, is_historical: isHistorical } of metricsOf(event)) {
      if (isHistorical) continue
      const key = `${event.connection}/${event.device}/${alias}`
      if (Number(timestamp) < (last.get(key) ?? 0)) return `alias ${alias} goes back to ${timestamp}`
      last.set(key, Number(timestamp))
    }
    return false
  })
}

const hasValue = (metric: ProtoMetric) => VALUE_FIELDS.some((field) => metric[field] !== undefined)
const properties = (events: readonly WireEvent[], name?: string) =>
  published(events).flatMap((event) =>
    metricsOf(event).flatMap(({ properties: set }) =>
      (set?.values ?? []).flatMap((value, i) =>
        name === undefined || set?.keys[i] === name ? [{ event, value }] : [],
      ),
    ),
  )
const isFullMetric = (metric: ProtoMetric) =>
  metric.name !== undefined && metric.datatype !== undefined && hasValue(metric) !== (metric.is_null === true)
const everyMetric = (
  events: readonly WireEvent[],
  messages: readonly Message[],
  fault: (m: ProtoMetric) => string | false,
) =>
  each(
    published(events, ...messages).flatMap((event) => metricsOf(event)),
    fault,
  )
const rebirth = 'Node Control/Rebirth'
const rebirthFault = (fault: (metric: ProtoMetric | undefined) => string | false) => (events: readonly WireEvent[]) =>
  each(published(events, 'NBIRTH'), (event) => fault(metricOf(event, rebirth)))

/** The births that follow each rebirth request, and what was sent in between. */
function rebirths(events: readonly WireEvent[]) {
  return events.flatMap((event, i) => {
    if (event.kind !== 'command' || metricOf(event, rebirth)?.boolean_value !== true) return []
    // Data that the node had sent before the request could reach it was under way.
    const wasUnderWay = ({ message, payload }: PublishEvent) =>
      DATA.includes(message as Message) && Number(payload.timestamp) <= event.at
    const after = published(events.slice(i + 1)).filter(
      (next) => next.connection === event.connection && !wasUnderWay(next),
    )
    const before = published(events.slice(0, i), 'NBIRTH').findLast(({ connection }) => connection === event.connection)
    return [{ after, before }]
  })
}

/** Clauses of other chapters that ask for the same of births, data and deaths, and those on topics and times. */
function alsoCalled(): Clause[] {
  const onTopic = (message: Message, tail: string) => (events: readonly WireEvent[]) =>
    each(
      published(events, message),
      ({ topic }) => !new RegExp(`^spBv1\\.0/plant/${message}/line-1${tail}$`).test(topic) && topic,
    )
  const offTopic = (message: Message) => change(message, (e) => ({ ...e, topic: e.topic.replace('plant', 'other') }))
  const isQos0 = (message: Message) => (events: readonly WireEvent[]) =>
    each(published(events, message), ({ qos }) => qos !== 0 && `${message} at QoS ${qos}`)
  const isPassing = (message: Message) => (events: readonly WireEvent[]) =>
    each(published(events, message), ({ retain }) => retain && `${message} retained`)
  const hasMetrics = (message: Message) => (events: readonly WireEvent[]) =>
    each(published(events, message), (event) => metricsOf(event).length === 0 && `${message} without a metric`)
  const noMetrics = (message: Message) => changePayload(message, (payload) => ({ ...payload, metrics: [] }))
  const parts = (place: number, message: Message) => ({
    check: (events: readonly WireEvent[]) =>
      each(published(events), ({ topic }) => {
        const part = topic.split('/')[place]
        return part !== undefined && (part === '' || /[+#]/.test(part)) && `${topic} has '${part}'`
      }),
    mutant: change(message, (e) => ({ ...e, topic: e.topic.split('/').with(place, 'a+b').join('/') })),
  })
  const near = (ms: string | undefined) => Math.abs(Number(ms) - Date.now()) < 3_600_000
  const levels = (isOfDevice: boolean) => (events: readonly WireEvent[]) =>
    each(
      published(events).filter(({ message }) => message.startsWith(isOfDevice ? 'D' : 'N')),
      ({ topic }) => topic.split('/').length !== (isOfDevice ? 5 : 4) && topic,
    )
  const inSequence = (id: string, message: Message): Clause => ({
    id,
    check: (events) => sequenceFaults(events, message),
    mutant: skipSeq(message),
  })
  const [node, device] = ['message-flow-edge-node-birth-publish', 'message-flow-device-birth-publish']
  return [
    inSequence('topics-dbirth-seq', 'DBIRTH'),
    inSequence(`${device}-dbirth-payload-seq`, 'DBIRTH'),
    inSequence('topics-ndata-seq-num', 'NDATA'),
    inSequence('topics-ddata-seq-num', 'DDATA'),
    inSequence('topics-ddeath-seq-num', 'DDEATH'),
    inSequence('payloads-ddeath-seq-number', 'DDEATH'),
    inSequence('payloads-sequence-num-req-nbirth', 'NBIRTH'),
    inSequence(`${node}-nbirth-payload-seq`, 'NBIRTH'),
    { id: `${node}-nbirth-topic`, check: onTopic('NBIRTH', ''), mutant: offTopic('NBIRTH') },
    { id: `${device}-dbirth-topic`, check: onTopic('DBIRTH', '/meter-[12]'), mutant: offTopic('DBIRTH') },
    {
      id: `${device}-dbirth-match-edge-node-topic`,
      check: onTopic('DBIRTH', '/meter-[12]'),
      mutant: change('DBIRTH', (e) => ({ ...e, topic: e.topic.replace('line-1', 'line-2') })),
    },
    { id: `${node}-nbirth-qos`, check: isQos0('NBIRTH'), mutant: change('NBIRTH', (e) => ({ ...e, qos: 1 })) },
    { id: `${device}-dbirth-qos`, check: isQos0('DBIRTH'), mutant: change('DBIRTH', (e) => ({ ...e, qos: 1 })) },
    {
      id: `${node}-nbirth-retained`,
      check: isPassing('NBIRTH'),
      mutant: change('NBIRTH', (e) => ({ ...e, retain: true })),
    },
    {
      id: `${device}-dbirth-retained`,
      check: isPassing('DBIRTH'),
      mutant: change('DBIRTH', (e) => ({ ...e, retain: true })),
    },
    { id: `${node}-nbirth-payload`, check: hasMetrics('NBIRTH'), mutant: noMetrics('NBIRTH') },
    { id: `${device}-dbirth-payload`, check: hasMetrics('DBIRTH'), mutant: noMetrics('DBIRTH') },
    { id: 'topics-ndata-payload', check: hasMetrics('NDATA'), mutant: noMetrics('NDATA') },
    { id: 'topics-ddata-payload', check: hasMetrics('DDATA'), mutant: noMetrics('DDATA') },
    {
      id: `${node}-nbirth-payload-bdSeq`,
      check: (events) =>
        each(published(events, 'NBIRTH'), (event) => {
          const own = connects(events).find(({ connection }) => connection === event.connection)
          return (
            bdSeqOf(metricsOf(event)) !== (own && bdSeqOf(willOf(own)?.decoded.metrics)) && 'NBIRTH has another bdSeq'
          )
        }),
      mutant: changeMetric('NBIRTH', named('bdSeq'), (metric) => ({ ...metric, long_value: '78' })),
    },
    {
      id: `${node}-will-message-payload`,
      check: (events) =>
        each(connects(events), (event) => {
          const metric = willOf(event)?.decoded.metrics?.[0]
          return (metric?.name !== 'bdSeq' || metric.datatype !== 4) && 'the will has no Int64 bdSeq'
        }),
      mutant: changeWill({ payload: Buffer.from([]) }),
    },
    {
      id: `${node}-connect`,
      check: (events) =>
        each(published(events, 'NBIRTH'), (event) => {
          const before = events.slice(0, events.indexOf(event))
          return (
            !before.some(({ kind, connection }) => kind === 'connect' && connection === event.connection) &&
            'NBIRTH without a session'
          )
        }),
      mutant: (events) => events.filter(({ kind }) => kind !== 'connect'),
    },
    {
      id: 'operational-behavior-edge-node-intentional-disconnect-packet',
      check: (events) =>
        each(published(events, 'NDEATH'), (death) => {
          const after = events.slice(events.indexOf(death) + 1)
          const own = after.find(({ kind, connection }) => kind !== 'command' && connection === death.connection)
          return own?.kind !== 'disconnect' && 'NDEATH without DISCONNECT right after it'
        }),
      mutant: (events) => events.filter(({ kind }) => kind !== 'disconnect'),
    },
    {
      id: 'payloads-ndeath-will-message-publisher',
      check: (events) =>
        each(published(events, 'NDEATH'), ({ topic }) => topic !== 'spBv1.0/plant/NDEATH/line-1' && topic),
      mutant: (events) => events.filter((event) => event.kind !== 'publish' || event.message !== 'NDEATH'),
    },
    {
      id: 'payloads-metric-datatype-value-type',
      check: (events) =>
        everyMetric(
          events,
          BIRTHS,
          ({ datatype }) => !(Number(datatype) === Number(datatype) >>> 0) && `type ${datatype}`,
        ),
      mutant: changeMetric('DBIRTH', named('power'), (metric) => ({ ...metric, datatype: -1 })),
    },
    {
      id: 'payloads-metric-propertyvalue-type-type',
      check: (events) =>
        each(properties(events), ({ value: { type } }) => !(Number(type) === Number(type) >>> 0) && `type ${type}`),
      mutant: changeMetric('DBIRTH', named('power'), (metric) => ({
        ...metric,
        properties: { keys: ['Quality'], values: [{ type: -3, int_value: 192 }] },
      })),
    },
    {
      id: 'case-sensitivity-metric-names',
      check: (events) =>
        each(published(events, ...BIRTHS), (event) => {
          const names = metricsOf(event).map(({ name }) => name?.toLowerCase())
          return new Set(names).size !== names.length && `${event.message} with names that differ by case alone`
        }),
      mutant: changeMetric('DBIRTH', named('energy'), (metric) => ({ ...metric, name: 'POWER' })),
    },
    {
      id: 'topic-structure',
      check: (events) => each(published(events), ({ topic }) => ![4, 5].includes(topic.split('/').length) && topic),
      mutant: change('DDATA', (e) => ({ ...e, topic: `${e.topic}/x` })),
    },
    { id: 'topic-structure-namespace-valid-group-id', ...parts(1, 'NDATA') },
    { id: 'topic-structure-namespace-valid-edge-node-id', ...parts(3, 'NDATA') },
    { id: 'topic-structure-namespace-valid-device-id', ...parts(4, 'DDATA') },
    {
      id: 'topic-structure-namespace-device-id-associated-message-types',
      check: levels(true),
      mutant: change('DDATA', (e) => ({ ...e, topic: e.topic.split('/').slice(0, 4).join('/') })),
    },
    {
      id: 'topic-structure-namespace-device-id-non-associated-message-types',
      check: levels(false),
      mutant: change('NDATA', (e) => ({ ...e, topic: `${e.topic}/meter-1` })),
    },
    {
      id: 'payloads-timestamp-in-UTC',
      check: (events) =>
        each(
          published(events),
          ({ message, payload }) => !near(payload.timestamp) && `${message} of ${payload.timestamp}`,
        ),
      mutant: changePayload('DDATA', (payload) => ({ ...payload, timestamp: String(Date.now() + 8 * 3_600_000) })),
    },
    {
      id: 'payloads-metric-timestamp-in-UTC',
      check: (events) => everyMetric(events, DATA, ({ timestamp }) => !near(timestamp) && `a metric of ${timestamp}`),
      mutant: changeMetric(
        'DDATA',
        () => true,
        (metric) => ({ ...metric, timestamp: String(Date.now() - 8 * 3_600_000) }),
      ),
    },
  ]
}

/** Values of NDATA that were sent before in the same connection: a node that has nothing new says nothing. */
function repeatFaults(events: readonly WireEvent[]): string[] {
  const last = new Map<string, string>()
  return each(published(events, 'NDATA'), (event) => {
    const isNew = metricsOf(event).map((metric) => {
      const key = `${event.connection}/${metric.alias ?? metric.name}`
      const value = JSON.stringify([VALUE_FIELDS.map((field) => metric[field] ?? null), metric.properties])
      const hasChanged = last.get(key) !== value
      last.set(key, value)
      return hasChanged
    })
    return !isNew.includes(true) && 'NDATA in which nothing has changed'
  })
}

/** Names of group, node and device, as the topics of the node carry them. */
function names(): Clause[] {
  const places = [
    ['intro-group-id', 1, 'plant'],
    ['intro-edge-node-id', 3, 'line-1'],
    ['intro-device-id', 4, /^meter-[12]$/],
  ] as const
  const parts = (events: readonly WireEvent[], place: number) =>
    published(events).flatMap(({ topic }) => topic.split('/')[place] ?? [])
  return places.flatMap(([id, place, name]) => [
    {
      id: `${id}-string`,
      check: (events) => each(parts(events, place), (part) => !part.match(name) && `'${part}' in a topic`),
      mutant: change('DDATA', (e) => ({ ...e, topic: e.topic.split('/').with(place, '\ufffd').join('/') })),
    },
    {
      id: `${id}-chars`,
      // MQTT 3.1.1, 1.5.3 and 4.7: neither wildcards nor U+0000 stand in the topic of a message.
      check: (events) => each(parts(events, place), (part) => /[+#\0]/.test(part) && `'${part}' in a topic`),
      mutant: change('DDATA', (e) => ({ ...e, topic: e.topic.split('/').with(place, 'a\0b').join('/') })),
    },
  ])
}

/** The DBIRTHs that follow each NBIRTH before anything else. */
const birthsOfDevices = (events: readonly WireEvent[]) =>
  published(events).flatMap((event, i, all) => {
    if (event.message !== 'NBIRTH') return []
    const next = all.slice(i + 1)
    const end = next.findIndex(({ message }) => message !== 'DBIRTH')
    return [next.slice(0, end < 0 ? next.length : end).map(({ topic }) => topic.split('/')[4] ?? '')]
  })

const isOfMqtt5 = (events: readonly WireEvent[], connection: number) =>
  connects(events).some((event) => event.connection === connection && event.packet.protocolVersion === 5)

const SINGLE: Clause[] = [
  ...alsoCalled(),
  ...names(),
  {
    id: 'topic-structure-namespace-unique-device-id',
    check: (events) =>
      each(birthsOfDevices(events), (devices) => new Set(devices).size !== devices.length && `born: ${devices}`),
    mutant: change('DBIRTH', (e) => ({ ...e, topic: e.topic.replace('meter-1', 'meter-2') })),
  },
  {
    id: 'case-sensitivity-sparkplug-ids',
    check: (events) =>
      each(birthsOfDevices(events), (devices) => {
        const lower = devices.map((device) => device.toLowerCase())
        return new Set(lower).size !== lower.length && `ids that differ by case alone: ${devices}`
      }),
    mutant: change('DBIRTH', (e) => ({ ...e, topic: e.topic.replace('meter-1', 'METER-2') })),
  },
  {
    id: 'operational-behavior-data-publish-nbirth-change',
    check: repeatFaults,
    mutant: (events) => {
      const beat = published(events, 'NDATA')[0]
      return events.flatMap((event) => (event === beat ? [event, event] : [event]))
    },
  },
  {
    id: 'principles-persistence-clean-session-50',
    check: (events) =>
      each(connects(events), ({ packet }) => {
        const isKept = !packet.clean || (packet.properties?.sessionExpiryInterval ?? 0) > 0
        return packet.protocolVersion === 5 && isKept && 'a CONNECT of MQTT 5 that keeps its session'
      }),
    mutant: changeConnect(() => ({ protocolVersion: 5, properties: { sessionExpiryInterval: 60 } })),
  },
  {
    id: 'payloads-ndeath-will-message-publisher-disconnect-mqtt50',
    check: (events) =>
      each(
        events.filter(({ kind }) => kind === 'disconnect'),
        ({ connection }) => isOfMqtt5(events, connection) && 'a DISCONNECT of MQTT 5 without the reason “with will”',
      ),
    mutant: (events) =>
      events.map((event) =>
        event.kind === 'connect' ? { ...event, packet: { ...event.packet, protocolVersion: 5 } } : event,
      ),
  },
  {
    id: 'principles-birth-certificates-order',
    check: (events) =>
      each(connects(events), ({ connection }) => {
        const first = published(events).find((event) => event.connection === connection)
        return first && first.message !== 'NBIRTH' && `connection ${connection} begins with ${first.message}`
      }),
    mutant: swapFirst('NDATA', 'NBIRTH'),
  },
  {
    id: 'principles-persistence-clean-session-311',
    check: (events) => each(connects(events), ({ packet }) => !packet.clean && 'CONNECT without clean session'),
    mutant: changeConnect(() => ({ clean: false })),
  },
  {
    id: 'topic-structure-namespace-a',
    check: (events) => each(published(events), ({ topic }) => !topic.startsWith('spBv1.0/') && topic),
    mutant: change('DDATA', (event) => ({ ...event, topic: event.topic.replace('spBv1.0', 'spAv1.0') })),
  },
  {
    id: 'payloads-sequence-num-always-included',
    check: (events) =>
      each(
        published(events).filter(({ message }) => message !== 'NDEATH'),
        ({ message, payload }) => payload.seq === undefined && `${message} without sequence number`,
      ),
    mutant: changePayload('DDATA', without('seq')),
  },
  { id: 'payloads-sequence-num-incrementing', check: (events) => sequenceFaults(events), mutant: skipSeq('DDATA') },
  ...(['DBIRTH', 'NDATA', 'DDATA', 'DDEATH'] as const).map((message) => ({
    id: `payloads-${message.toLowerCase()}-seq-inc`,
    check: (events: readonly WireEvent[]) => sequenceFaults(events, message),
    mutant: skipSeq(message),
  })),
  ...['topics-nbirth-seq-num'].map((id) => ({
    id,
    check: (events: readonly WireEvent[]) =>
      each(published(events, 'NBIRTH'), ({ payload }) => payload.seq !== '0' && `NBIRTH has sequence ${payload.seq}`),
    mutant: skipSeq('NBIRTH'),
  })),
  ...['topics-nbirth-bdseq-included', 'payloads-nbirth-bdseq'].map((id) => ({
    id,
    check: (events: readonly WireEvent[]) =>
      each(
        published(events, 'NBIRTH'),
        (event) => metricOf(event, 'bdSeq')?.datatype !== 4 && 'NBIRTH without Int64 bdSeq',
      ),
    mutant: changeMetric('NBIRTH', named('bdSeq'), () => []),
  })),
  ...['topics-nbirth-bdseq-matching', 'payloads-nbirth-bdseq-repeat'].map((id) => ({
    id,
    check: (events: readonly WireEvent[]) =>
      each(published(events, 'NBIRTH'), (event) => {
        const own = connects(events).find(({ connection }) => connection === event.connection)
        const willed = own && bdSeqOf(willOf(own)?.decoded.metrics)
        return bdSeqOf(metricsOf(event)) !== willed && `NBIRTH bdSeq differs from the will's ${willed}`
      }),
    mutant: changeMetric('NBIRTH', named('bdSeq'), (metric) => ({ ...metric, long_value: '77' })),
  })),
  ...['topics-nbirth-bdseq-increment', 'message-flow-edge-node-birth-publish-will-message-payload-bdSeq'].map((id) => ({
    id,
    check: (events: readonly WireEvent[]) =>
      each(connects(events), (event, i) => {
        const metric = willOf(event)?.decoded.metrics?.find(({ name }) => name === 'bdSeq')
        const isRight = metric?.datatype === 4 && metric.long_value === String(i % 256)
        return !isRight && `CONNECT ${i} has bdSeq ${metric?.long_value} of type ${metric?.datatype}`
      }),
    mutant: (events: WireEvent[]) =>
      events.filter((event, i) => i !== events.findIndex(({ kind }) => kind === 'connect') || event.kind !== 'connect'),
  })),
  ...[
    'topics-nbirth-rebirth-metric',
    'payloads-nbirth-rebirth-req',
    'operational-behavior-data-commands-rebirth-name',
  ].map((id) => ({
    id,
    check: rebirthFault((metric) => !metric && 'NBIRTH without Node Control/Rebirth'),
    mutant: changeMetric('NBIRTH', named(rebirth), () => []),
  })),
  {
    id: 'operational-behavior-data-commands-rebirth-name-aliases',
    check: rebirthFault((metric) => metric?.alias !== undefined && 'Node Control/Rebirth has an alias'),
    mutant: changeMetric('NBIRTH', named(rebirth), (metric) => ({ ...metric, alias: '9' })),
  },
  {
    id: 'operational-behavior-data-commands-rebirth-datatype',
    check: rebirthFault((metric) => metric?.datatype !== 11 && 'Node Control/Rebirth is no Boolean'),
    mutant: changeMetric('NBIRTH', named(rebirth), (metric) => ({ ...metric, datatype: 3 })),
  },
  {
    id: 'operational-behavior-data-commands-rebirth-value',
    check: rebirthFault((metric) => metric?.boolean_value !== false && 'Node Control/Rebirth is not false'),
    mutant: changeMetric('NBIRTH', named(rebirth), (metric) => ({ ...metric, boolean_value: true })),
  },
  ...(['NBIRTH', 'DBIRTH'] as const).flatMap((message) => {
    const key = message.toLowerCase()
    return [`topics-${key}-metrics`, `operational-behavior-data-publish-${key}-values`].map((id) => ({
      id,
      check: (events: readonly WireEvent[]) =>
        everyMetric(events, [message], (metric) => !isFullMetric(metric) && `${metric.name} lacks name, type or value`),
      mutant: changeMetric(message, (metric) => metric.is_null === true, without('is_null')),
    }))
  }),
  {
    id: 'topics-ndeath-payload',
    check: (events) =>
      each(connects(events), (event) => {
        const metrics = willOf(event)?.decoded.metrics
        return (metrics?.length !== 1 || metrics[0]?.name !== 'bdSeq') && 'the will holds more or less than one bdSeq'
      }),
    mutant: changeWill({ payload: Buffer.from([]) }),
  },
  ...['topics-ndeath-seq', 'payloads-ndeath-seq'].map((id) => ({
    id,
    check: (events: readonly WireEvent[]) => [
      ...each(
        connects(events),
        (event) => willOf(event)?.decoded.seq !== undefined && 'the will has a sequence number',
      ),
      ...each(
        published(events, 'NDEATH'),
        ({ payload }) => payload.seq !== undefined && 'NDEATH has a sequence number',
      ),
    ],
    mutant: changePayload('NDEATH', (payload) => ({ ...payload, seq: '4' })),
  })),
  ...['payloads-ndeath-will-message', 'message-flow-edge-node-birth-publish-will-message'].map((id) => ({
    id,
    check: (events: readonly WireEvent[]) =>
      each(connects(events), ({ packet }) => !packet.will && 'CONNECT without will'),
    mutant: changeConnect(() => ({ will: undefined })),
  })),
  ...['topics-ndeath-topic', 'message-flow-edge-node-birth-publish-will-message-topic'].map((id) => ({
    id,
    check: (events: readonly WireEvent[]) =>
      each(
        connects(events),
        ({ packet }) => packet.will?.topic !== 'spBv1.0/plant/NDEATH/line-1' && `${packet.will?.topic}`,
      ),
    mutant: changeWill({ topic: 'spBv1.0/plant/NDEATH/other' }),
  })),
  ...['payloads-ndeath-will-message-qos', 'message-flow-edge-node-birth-publish-will-message-qos'].map((id) => ({
    id,
    check: (events: readonly WireEvent[]) =>
      each(connects(events), ({ packet }) => packet.will?.qos !== 1 && 'will not at QoS 1'),
    mutant: changeWill({ qos: 0 }),
  })),
  ...['payloads-ndeath-will-message-retain', 'message-flow-edge-node-birth-publish-will-message-will-retained'].map(
    (id) => ({
      id,
      check: (events: readonly WireEvent[]) =>
        each(connects(events), ({ packet }) => packet.will?.retain !== false && 'will retained'),
      mutant: changeWill({ retain: true }),
    }),
  ),
  {
    id: 'payloads-ndeath-bdseq',
    check: (events) =>
      each(published(events, 'NDEATH'), (event) => {
        const own = connects(events).find(({ connection }) => connection === event.connection)
        return (
          bdSeqOf(metricsOf(event)) !== (own && bdSeqOf(willOf(own)?.decoded.metrics)) && 'NDEATH has another bdSeq'
        )
      }),
    mutant: changeMetric('NDEATH', named('bdSeq'), (metric) => ({ ...metric, long_value: '99' })),
  },
  ...[
    'operational-behavior-edge-node-intentional-disconnect-ndeath',
    'payloads-ndeath-will-message-publisher-disconnect-mqtt311',
  ].map((id) => ({
    id,
    check: (events: readonly WireEvent[]) =>
      each(
        events.flatMap((event, i) => (event.kind === 'disconnect' ? [i] : [])),
        (index) => {
          const { connection } = events[index] as WireEvent
          const last = published(events.slice(0, index)).findLast((event) => event.connection === connection)
          return last?.message !== 'NDEATH' && 'DISCONNECT without NDEATH before it'
        },
      ),
    mutant: (events: WireEvent[]) => events.filter((event) => event.kind !== 'publish' || event.message !== 'NDEATH'),
  })),
  ...(
    [
      ['message-flow-edge-node-ncmd-subscribe', /^spBv1\.0\/plant\/NCMD\/line-1$/],
      ['message-flow-device-dcmd-subscribe', /^spBv1\.0\/plant\/DCMD\/line-1\/(#|\+|meter-1)$/],
    ] as const
  ).map(([id, filter]) => ({
    id,
    check: (events: readonly WireEvent[]) =>
      each(published(events, 'NBIRTH'), ({ connection }) => {
        const own = events.filter((event) => event.kind === 'subscribe' && event.connection === connection)
        const filters = own.flatMap((event) => (event.kind === 'subscribe' ? event.packet.subscriptions : []))
        return !filters.some(({ topic, qos }) => filter.test(topic) && qos === 1) && `no subscription like ${filter}`
      }),
    mutant: (events: WireEvent[]) => events.filter(({ kind }) => kind !== 'subscribe'),
  })),
  ...['message-flow-device-birth-publish-nbirth-wait', 'payloads-dbirth-order'].map((id) => ({
    id,
    check: (events: readonly WireEvent[]) =>
      each(published(events, 'DBIRTH'), (event) => {
        const before = published(events.slice(0, events.indexOf(event))).filter(
          ({ connection }) => connection === event.connection,
        )
        return !before.some(({ message }) => message === 'NBIRTH') && 'DBIRTH before NBIRTH'
      }),
    mutant: swapFirst('DBIRTH', 'NBIRTH'),
  })),
  {
    id: 'payloads-ndata-order',
    check: (events) => unbornFaults(events, 'NDATA', false),
    mutant: swapFirst('NDATA', 'NBIRTH'),
  },
  {
    id: 'payloads-ddata-order',
    check: (events) => unbornFaults(events, 'DDATA', false),
    mutant: swapFirst('DDATA', 'NBIRTH'),
  },
  ...['topics-nbirth-metric-reqs', 'operational-behavior-data-publish-nbirth'].map((id) => ({
    id,
    check: (events: readonly WireEvent[]) => unbornFaults(events, 'NDATA', true),
    mutant: changeMetric('NBIRTH', named('Andon/Heartbeat'), () => []),
  })),
  ...['topics-dbirth-metric-reqs', 'operational-behavior-data-publish-dbirth'].map((id) => ({
    id,
    check: (events: readonly WireEvent[]) => unbornFaults(events, 'DDATA', true),
    mutant: changeMetric(
      'DDATA',
      () => true,
      (metric) => ({ ...metric, alias: '123456' }),
    ),
  })),
  {
    id: 'operational-behavior-data-publish-nbirth-order',
    check: (events) => orderFaults(events, 'NDATA'),
    mutant: changeMetric(
      'NDATA',
      () => true,
      (metric) => ({ ...metric, timestamp: '9999999999999' }),
    ),
  },
  {
    id: 'operational-behavior-data-publish-dbirth-order',
    check: (events) => orderFaults(events, 'DDATA'),
    mutant: changeMetric(
      'DDATA',
      () => true,
      (metric) => ({ ...metric, timestamp: '9999999999999' }),
    ),
  },
  {
    id: 'payloads-alias-uniqueness',
    check: (events) =>
      each(connects(events), ({ connection }) => {
        const owners = new Map<string, string>()
        for (const event of published(events, ...BIRTHS).filter((birth) => birth.connection === connection)) {
          for (const { alias, name } of metricsOf(event)) {
            if (alias === undefined) continue
            const owner = `${event.device ?? ''}/${name}`
            if ((owners.get(alias) ?? owner) !== owner) return `alias ${alias} is ${owners.get(alias)} and ${owner}`
            owners.set(alias, owner)
          }
        }
        return false
      }),
    mutant: changeMetric('DBIRTH', named('energy'), (metric) => ({ ...metric, alias: '1' })),
  },
  {
    id: 'payloads-alias-data-cmd-requirement',
    check: (events) =>
      everyMetric(
        events,
        DATA,
        (metric) => (metric.alias === undefined || metric.name !== undefined) && 'data by name',
      ),
    mutant: changeMetric(
      'DDATA',
      () => true,
      (metric) => ({ ...metric, name: 'power' }),
    ),
  },
  {
    id: 'payloads-name-requirement',
    check: (events) => everyMetric(events, BIRTHS, (metric) => metric.name === undefined && 'a birth without a name'),
    mutant: changeMetric('DBIRTH', named('power'), without('name')),
  },
  {
    id: 'payloads-name-birth-data-requirement',
    check: (events) =>
      everyMetric(
        events,
        [...BIRTHS, ...DATA],
        (metric) => !(Number(metric.timestamp) > 0) && 'a metric without timestamp',
      ),
    mutant: changeMetric('DDATA', () => true, without('timestamp')),
  },
  {
    id: 'payloads-metric-datatype-req',
    check: (events) =>
      everyMetric(events, BIRTHS, (metric) => metric.datatype === undefined && `${metric.name} without type`),
    mutant: changeMetric('DBIRTH', named('power'), without('datatype')),
  },
  {
    id: 'payloads-metric-datatype-value',
    check: (events) =>
      everyMetric(
        events,
        BIRTHS,
        ({ name, datatype }) => !KNOWN_TYPES.has(datatype ?? -1) && `${name} of type ${datatype}`,
      ),
    mutant: changeMetric('DBIRTH', named('power'), (metric) => ({ ...metric, datatype: 99 })),
  },
  {
    id: 'payloads-metric-datatype-not-req',
    check: (events) => everyMetric(events, DATA, (metric) => metric.datatype !== undefined && 'data with a type'),
    mutant: changeMetric(
      'DDATA',
      () => true,
      (metric) => ({ ...metric, datatype: 10 }),
    ),
  },
  ...['payloads-propertyset-keys-array-size', 'payloads-propertyset-values-array-size'].map((id) => ({
    id,
    check: (events: readonly WireEvent[]) =>
      each(
        published(events).flatMap((event) => metricsOf(event).flatMap((metric) => metric.properties ?? [])),
        ({ keys, values }) => keys.length !== values.length && `${keys.length} keys for ${values.length} values`,
      ),
    mutant: changeMetric('DBIRTH', named('power'), (metric) => ({
      ...metric,
      properties: { keys: ['Quality'], values: [] },
    })),
  })),
  ...['payloads-metric-propertyvalue-type-req', 'payloads-metric-propertyvalue-type-value'].map((id) => ({
    id,
    check: (events: readonly WireEvent[]) =>
      each(properties(events), ({ value }) => !KNOWN_TYPES.has(value.type) && `a property of type ${value.type}`),
    mutant: changeMetric('DBIRTH', named('power'), (metric) => ({
      ...metric,
      properties: { keys: ['Quality'], values: [{ type: 0, int_value: 192 }] },
    })),
  })),
  {
    id: 'payloads-propertyset-quality-value-type',
    check: (events) =>
      each(properties(events, 'Quality'), ({ value }) => value.type !== 3 && `Quality of type ${value.type}`),
    mutant: changeMetric('DBIRTH', named('power'), (metric) => ({
      ...metric,
      properties: { keys: ['Quality'], values: [{ type: 7, int_value: 192 }] },
    })),
  },
  {
    id: 'payloads-propertyset-quality-value-value',
    check: (events) =>
      each(
        properties(events, 'Quality'),
        ({ value }) => ![0, 192, 500].includes(value.int_value ?? -1) && `Quality ${value.int_value}`,
      ),
    mutant: changeMetric('DBIRTH', named('power'), (metric) => ({
      ...metric,
      properties: { keys: ['Quality'], values: [{ type: 3, int_value: 64 }] },
    })),
  },
  {
    id: 'operational-behavior-data-commands-rebirth-action-1',
    check: (events) =>
      each(rebirths(events), ({ after }) => after[0]?.message !== 'NBIRTH' && `${after[0]?.message} after the request`),
    mutant: (events) => {
      const request = events.findIndex((event) => event.kind === 'command' && metricOf(event, rebirth) !== undefined)
      const data = published(events, 'NDATA')[0]
      const late = data && { ...data, payload: { ...data.payload, timestamp: '9999999999999' } }
      return late ? [...events.slice(0, request + 1), late, ...events.slice(request + 1)] : events
    },
  },
  {
    id: 'operational-behavior-data-commands-rebirth-action-2',
    check: (events) =>
      each(rebirths(events), ({ after }) => {
        const devices = after.slice(1, 3).map(({ message, device }) => `${message} ${device}`)
        return devices.join() !== 'DBIRTH meter-1,DBIRTH meter-2' && `${devices.join()} after the second NBIRTH`
      }),
    mutant: (events) => {
      const second = published(events, 'DBIRTH')[3]
      return events.filter((event) => event !== second)
    },
  },
  {
    id: 'operational-behavior-data-commands-rebirth-action-3',
    check: (events) =>
      each(
        rebirths(events),
        ({ before, after }) =>
          bdSeqOf(before && metricsOf(before)) !== bdSeqOf(after[0] && metricsOf(after[0])) &&
          'rebirth with another bdSeq',
      ),
    mutant: changeMetric('NBIRTH', named('bdSeq'), (metric) => ({ ...metric, long_value: '55' })),
  },
  {
    id: 'operational-behavior-device-ddeath',
    check: (events) => each(published(events, 'DDEATH'), ({ device }) => device !== 'meter-1' && `DDEATH of ${device}`),
    mutant: (events) => events.filter((event) => event.kind !== 'publish' || event.message !== 'DDEATH'),
  },
]

/** Every clause that is checked on the wire. */
export const EDGE_CLAUSES: readonly Clause[] = [...perMessage(), ...SINGLE, ...NESTED_CLAUSES, ...PRIMARY_HOST_CLAUSES]

/** Clauses that bind an edge node and are not checked on the wire here, each with the reason. */
export const EDGE_CLAUSES_ELSEWHERE: Readonly<Record<string, string>> = {
  'payloads-alias-birth-requirement':
    'not kept to the letter: bdSeq, Rebirth and command metrics have no alias, as the specification itself demands of Rebirth',
  ...because(
    'no node can see the others; the cloud registers a group and an edge once (`unique` of its table, cloud/pipeline/pipeline.test.ts)',
    'intro-edge-node-id-uniqueness',
    'topic-structure-namespace-unique-edge-node-descriptor',
    'payloads-nbirth-edge-node-descriptor',
  ),
  'topic-structure-namespace-duplicate-device-id-across-edge-node':
    'a permission, which a node can neither keep nor break; hosts of ours know a device by group, edge and device',
  ...because(
    'a recommendation that is kept before the journal: edge/acquisition/report.test.ts; the transcript begins behind it. What a node says of itself is seen at `operational-behavior-data-publish-nbirth-change`',
    'principles-rbe-recommended',
    'operational-behavior-data-publish-dbirth-change',
  ),
}

function because(why: string, ...ids: readonly string[]): Record<string, string> {
  return Object.fromEntries(ids.map((id) => [id, why]))
}
