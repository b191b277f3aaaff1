import type { HostState, PublishEvent, WireEvent } from './capture.ts'
import { type Clause, connects, each, published } from './edge-events.ts'

/** The primary host of the scene. */
export const PRIMARY = 'scada'
export const PRIMARY_TOPIC = `spBv1.0/STATE/${PRIMARY}`

type Events = readonly WireEvent[]
type Told = PublishEvent & { readonly state: HostState }
type Row = Omit<Clause, 'scene'>

const isTold = (event: WireEvent): event is Told => event.kind === 'command' && event.message === 'STATE'

const serverOf = (events: Events, { connection }: WireEvent) =>
  connects(events).find((connect) => connect.connection === connection)?.server
/** In the part of the scene with several servers these are the second and the third. */
const isOneOfSeveral = (events: Events, event: WireEvent) => (serverOf(events, event) ?? 0) > 0

/** A STATE that is older than one that its server told before says nothing, in whatever connection that was. */
const isStale = (events: Events, state: Told): boolean =>
  events
    .slice(0, events.indexOf(state))
    .filter(isTold)
    .some((one) => serverOf(events, one) === serverOf(events, state) && one.state.timestamp > state.state.timestamp)

/** What counts at an event: the newest STATE of its connection. */
const believed = (events: Events, { connection }: WireEvent, at: number): Told | undefined =>
  events
    .slice(0, at)
    .filter(isTold)
    .findLast((state) => state.connection === connection && !isStale(events, state))

const births = (events: Events) => published(events, 'NBIRTH', 'DBIRTH')

/** A STATE that should end its connection: the primary host was online there and says that it is not any more. */
const goings = (events: Events): Told[] =>
  events.filter(isTold).filter((state) => {
    const before = believed(events, state, events.indexOf(state))
    return !state.state.online && !isStale(events, state) && before?.state.online === true
  })

/** What a connection did after an event. */
const afterwards = (events: Events, event: WireEvent) =>
  events
    .slice(events.indexOf(event) + 1)
    .filter((next) => next.connection === event.connection && next.kind !== 'command')

const nextConnect = (events: Events, event: WireEvent) => connects(events.slice(events.indexOf(event) + 1))[0]

const isClose = ({ kind }: WireEvent) => kind === 'disconnect' || kind === 'closed'
const first = (events: Events, is: (event: WireEvent) => boolean) => events.find(is)
const dropAll = (is: (event: WireEvent) => boolean) => (events: WireEvent[]) => events.filter((event) => !is(event))
const changeStates = (to: (event: Told) => Told) => (events: WireEvent[]) =>
  events.map((event) => (isTold(event) ? to(event) : event))
/** Moves the first birth to where it comes right after an event. */
const birthAfter = (is: (event: WireEvent) => boolean) => (events: WireEvent[]) => {
  const birth = births(events)[0]
  const rest = events.filter((event) => event !== birth)
  const at = rest.findIndex(is)
  return birth && at >= 0 ? [...rest.slice(0, at + 1), birth, ...rest.slice(at + 1)] : events
}

const isOnlineAtBirth = (events: Events) =>
  each(births(events), (birth) => {
    const state = believed(events, birth, events.indexOf(birth))
    return state?.state.online !== true && `${birth.message} while the primary host is not known to be online`
  })

const leavesOrderly = (events: Events, fault: (next: readonly WireEvent[]) => string | false) =>
  each(goings(events), (going) => fault(afterwards(events, going)))

const WAITS: readonly Row[] = [
  ...['message-flow-edge-node-birth-publish-phid-wait', 'operational-behavior-edge-node-birth-sequence-wait'].map(
    (id) => ({ id, check: isOnlineAtBirth, mutant: dropAll((event) => isTold(event) && event.state.online) }),
  ),
  {
    id: 'message-flow-edge-node-birth-publish-phid-wait-id',
    check: (events) =>
      each(births(events), (birth) => {
        const state = believed(events, birth, events.indexOf(birth))
        return state?.topic !== PRIMARY_TOPIC && `${birth.message} because of ${state?.topic}`
      }),
    mutant: changeStates((event) => ({ ...event, topic: 'spBv1.0/STATE/other' })),
  },
  {
    id: 'message-flow-edge-node-birth-publish-phid-wait-online',
    check: (events) => [
      ...each(
        events.filter(isTold).filter(({ state }) => !state.online),
        () => false,
      ),
      ...isOnlineAtBirth(events),
    ],
    mutant: birthAfter((event) => isTold(event) && !event.state.online),
  },
  {
    id: 'message-flow-edge-node-birth-publish-phid-wait-timestamp',
    check: (events) => [
      ...each(
        events.filter(isTold).filter((event) => event.state.online && isStale(events, event)),
        () => false,
      ),
      ...isOnlineAtBirth(events),
    ],
    mutant: (events) => birthAfter((event) => isTold(event) && event.state.online && isStale(events, event))(events),
  },
]

const LEAVES: readonly Row[] = [
  {
    id: 'message-flow-edge-node-birth-publish-phid-offline',
    check: (events) =>
      leavesOrderly(events, ([next]) => {
        const isDeath = next?.kind === 'publish' && next.message === 'NDEATH'
        return !isDeath && 'no NDEATH right after the primary host went offline'
      }),
    mutant: dropAll((event) => event.kind === 'publish' && event.message === 'NDEATH'),
  },
  {
    id: 'operational-behavior-edge-node-termination-host-offline',
    check: (events) =>
      leavesOrderly(events, (next) => !next.some(({ kind }) => kind === 'disconnect') && 'still connected'),
    mutant: dropAll(({ kind }) => kind === 'disconnect'),
  },
  {
    id: 'operational-behavior-edge-node-termination-host-offline-reconnect',
    check: (events) => each(goings(events), (going) => !nextConnect(events, going) && 'no new CONNECT'),
    mutant: (events) => {
      const going = goings(events)[0]
      return going ? events.filter((event, i) => event.kind !== 'connect' || i < events.indexOf(going)) : events
    },
  },
  {
    id: 'operational-behavior-edge-node-termination-host-offline-timestamp',
    check: (events) =>
      each(
        events.filter(isTold).filter((event) => !event.state.online && isStale(events, event)),
        (stale) => {
          const next = events
            .slice(events.indexOf(stale) + 1)
            .find((event) => event.connection === stale.connection && (isTold(event) || isClose(event)))
          return next !== undefined && isClose(next) && 'a stale offline STATE ended the connection'
        },
      ),
    mutant: (events) => {
      const [going] = goings(events)
      return events.filter((event) => event !== going)
    },
  },
]

const SERVERS: readonly Row[] = [
  {
    id: 'operational-behavior-primary-application-state-with-multiple-servers-state-subs',
    check: (events) =>
      each(
        connects(events).filter((event) => isOneOfSeveral(events, event)),
        ({ connection }) => {
          const own = events.filter((event) => event.kind === 'subscribe' && event.connection === connection)
          const filters = own.flatMap((event) => (event.kind === 'subscribe' ? event.packet.subscriptions : []))
          return !filters.some(({ topic }) => topic === PRIMARY_TOPIC) && 'no subscription to STATE'
        },
      ),
    mutant: dropAll(({ kind }) => kind === 'subscribe'),
  },
  {
    id: 'operational-behavior-primary-application-state-with-multiple-servers-single-server',
    check: (events) =>
      each(connects(events), (connect) => {
        const before = events.slice(0, events.indexOf(connect))
        const open = connects(before).find(
          (old) => !first(before, (e) => isClose(e) && e.connection === old.connection),
        )
        return open !== undefined && `connected to ${connect.server} while still to ${open.server}`
      }),
    mutant: dropAll(isClose),
  },
  {
    id: 'operational-behavior-primary-application-state-with-multiple-servers-walk',
    check: (events) =>
      each(
        events.filter(isTold).filter((e) => isOneOfSeveral(events, e) && !e.state.online && !isStale(events, e)),
        (going) => {
          const next = nextConnect(events, going)
          const isGone = afterwards(events, going).some(isClose)
          return (!isGone || next?.server === serverOf(events, going)) && 'stayed where the primary host is offline'
        },
      ),
    mutant: (events) => events.map((event) => (event.kind === 'connect' ? { ...event, server: 1 } : event)),
  },
]

/** Clauses that bind an edge node which follows a primary host, on one server and on several. */
export const PRIMARY_HOST_CLAUSES: readonly Clause[] = [...WAITS, ...LEAVES, ...SERVERS].map((row) => ({
  ...row,
  scene: 'primary-host',
}))
