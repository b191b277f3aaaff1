import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import type { Alarm, AlarmDetail } from '#shared/contracts/alarm.ts'
import type { Asset } from '#shared/contracts/asset.ts'
import type { Device, Edge } from '#shared/contracts/edge.ts'
import type { EdgeCertificates } from '#shared/contracts/edge-certificate.ts'
import type {
  ConfigurationDifference,
  ConfigurationPush,
  ConfigurationVersion,
  ConfigurationWithDocument,
} from '#shared/contracts/edge-configuration.ts'
import type { EdgeGap } from '#shared/contracts/edge-gap.ts'
import type { History, HistoryExport, Retained } from '#shared/contracts/history.ts'
import type { PageOf } from '#shared/contracts/http.ts'
import type { InboxItem } from '#shared/contracts/inbox.ts'
import type { Incident, IncidentSummary, TimelineEntry } from '#shared/contracts/incident.ts'
import type { Card, Message } from '#shared/contracts/message.ts'
import type { Person, Session } from '#shared/contracts/person.ts'
import type { Retro } from '#shared/contracts/retro.ts'
import type { Tag } from '#shared/contracts/tag.ts'
import type { WorkOrder } from '#shared/contracts/work-order.ts'
import { ApiError, get, queryString } from './http.ts'
import { setServerTime } from './server-time.ts'
import type { CallPage, RetroSummary, StateSpan } from './types.ts'

type Items<T> = { readonly items: readonly T[] }
type Filter = Readonly<Record<string, string | undefined>>

/** Who is signed in; null when nobody is. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      const session = await get<Session>('/api/session', signal)
      setServerTime(session.now)
      return session
    } catch (error) {
      if (error instanceof ApiError && error.problem.status === 401) return null
      throw error
    }
  },
})

/** The server gives at most so many rows at once; a list that is longer says so. */
export const LIST_LIMIT = 500

const list = <T>(noun: string, path: string, filter: Filter) =>
  queryOptions({
    queryKey: [noun, 'list', filter],
    queryFn: ({ signal }) => get<PageOf<T>>(`${path}${queryString({ ...filter, limit: LIST_LIMIT })}`, signal),
    placeholderData: keepPreviousData,
  })

const one = <T>(noun: string, path: string, id: string) =>
  queryOptions({
    queryKey: [noun, 'one', id],
    queryFn: ({ signal }) => get<T>(`${path}/${encodeURIComponent(id)}`, signal),
  })

export interface AlarmFilter extends Filter {
  readonly show: string
  readonly priority?: string | undefined
  readonly asset?: string | undefined
  readonly q?: string | undefined
}
export const alarmsQuery = (filter: AlarmFilter) => list<Alarm>('alarms', '/api/alarms', filter)
export const alarmQuery = (id: string) => one<AlarmDetail>('alarms', '/api/alarms', id)

export const incidentsQuery = (filter: { readonly show: string; readonly asset?: string; readonly mine?: string }) =>
  list<IncidentSummary>('incidents', '/api/incidents', filter)
export const incidentQuery = (id: string) => one<Incident>('incidents', '/api/incidents', id)
export const timelineQuery = (id: string) =>
  queryOptions({
    queryKey: ['timeline', id],
    queryFn: ({ signal }) => get<Items<TimelineEntry>>(`/api/incidents/${encodeURIComponent(id)}/timeline`, signal),
  })

export const messagesQuery = (channelId: string) =>
  queryOptions({
    queryKey: ['messages', channelId],
    queryFn: ({ signal }) => get<PageOf<Message>>(`/api/channels/${channelId}/messages?limit=200`, signal),
  })
export const cardQuery = (recordId: string) =>
  queryOptions({
    queryKey: ['cards', recordId],
    queryFn: ({ signal }) => get<Card>(`/api/records/${recordId}/card`, signal),
  })
export const callPageQuery = (id: string) => one<CallPage>('pages', '/api/pages', id)

export const workOrdersQuery = (filter: {
  readonly show: string
  readonly asset?: string
  readonly incident?: string
}) => list<WorkOrder>('work-orders', '/api/work-orders', filter)
export const workOrderQuery = (id: string) => one<WorkOrder>('work-orders', '/api/work-orders', id)

export const retrosQuery = (show: string) => list<RetroSummary>('retros', '/api/retros', { show })
export const retroQuery = (id: string) => one<Retro>('retros', '/api/retros', id)

export const assetsQuery = queryOptions({
  queryKey: ['assets', 'list'],
  queryFn: ({ signal }) => get<Items<Asset>>('/api/assets', signal),
})
export const statesQuery = (id: string, from: string, to: string) =>
  queryOptions({
    queryKey: ['states', id, from, to],
    queryFn: ({ signal }) => get<Items<StateSpan>>(`/api/assets/${id}/states${queryString({ from, to })}`, signal),
    placeholderData: keepPreviousData,
  })

export const tagsQuery = (filter: { asset?: string; edge?: string; device?: string; q?: string }) =>
  list<Tag>('tags', '/api/tags', filter)

/** Buckets of the tags between two instants (ms since 1970), at most `points` a tag. */
export const historyQuery = (tags: readonly string[], from: number, to: number, points: number) =>
  queryOptions({
    queryKey: ['history', tags, from, to, points],
    queryFn: ({ signal }) =>
      get<History>(
        `/api/history${queryString({ tag: tags, from: new Date(from).toISOString(), to: new Date(to).toISOString(), points })}`,
        signal,
      ),
    placeholderData: keepPreviousData,
    enabled: tags.length > 0,
  })

/** How long the tags are kept; it changes with the settings of the server alone, what was removed a few times a day. */
export const retentionQuery = (tags: readonly string[]) =>
  queryOptions({
    queryKey: ['retention', tags],
    queryFn: ({ signal }) => get<Retained>(`/api/history/retention${queryString({ tag: tags })}`, signal),
    placeholderData: keepPreviousData,
    staleTime: 600_000,
    enabled: tags.length > 0,
  })

/** One's exports; asked again each second while any is under way. */
export const exportsQuery = queryOptions({
  queryKey: ['exports'],
  queryFn: ({ signal }) => get<PageOf<HistoryExport>>('/api/history/exports', signal),
  refetchInterval: ({ state }) =>
    state.data?.items.some((one) => one.state === 'waiting' || one.state === 'running') ? 1000 : false,
})

/** How far behind a box is changes without an event, so an open fleet screen asks again every so many ms. */
const FLEET_MS = 5000
export const edgesQuery = { ...list<Edge>('edges', '/api/edges', {}), refetchInterval: FLEET_MS }
export const edgeQuery = (id: string) => ({ ...one<Edge>('edges', '/api/edges', id), refetchInterval: FLEET_MS })
export const devicesQuery = (edge: string) => list<Device>('devices', '/api/devices', { edge })
/** A part of an edge; it is read again with the edge itself, whose events tell of it. */
const ofEdge = <T>(id: string, part: string) =>
  queryOptions({
    queryKey: ['edges', 'one', id, part],
    queryFn: ({ signal }) => get<T>(`/api/edges/${encodeURIComponent(id)}/${part}`, signal),
  })
export const certificatesQuery = (id: string) => ofEdge<EdgeCertificates>(id, 'certificates')
export const versionsQuery = (id: string) => ofEdge<PageOf<ConfigurationVersion>>(id, 'configuration-versions')
export const pushesQuery = (id: string) => ofEdge<PageOf<ConfigurationPush>>(id, 'configuration-pushes')

/** A version never changes. */
export const documentQuery = (id: string, version: number) =>
  queryOptions({
    queryKey: ['edge-documents', id, version],
    queryFn: ({ signal }) =>
      get<ConfigurationWithDocument>(`/api/edges/${id}/configuration-versions/${version}`, signal),
    staleTime: Number.POSITIVE_INFINITY,
  })
export const differenceQuery = (id: string, from: number, to: number) =>
  queryOptions({
    queryKey: ['edge-documents', id, from, to],
    queryFn: ({ signal }) =>
      get<ConfigurationDifference>(`/api/edges/${id}/configuration-versions/${to}/differences/${from}`, signal),
    staleTime: Number.POSITIVE_INFINITY,
  })

const GAPS_AT_ONCE = 50
export const gapsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ['edges', 'one', id, 'gaps'],
    queryFn: ({ signal, pageParam }) => {
      const page = queryString({ limit: GAPS_AT_ONCE, cursor: pageParam })
      return get<PageOf<EdgeGap>>(`/api/edges/${id}/gaps${page}`, signal)
    },
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
  })

export const inboxQuery = (show: string) => list<InboxItem>('inbox', '/api/inbox', { show })
export const peopleQuery = (q: string) => list<Person>('people', '/api/people', { q })
