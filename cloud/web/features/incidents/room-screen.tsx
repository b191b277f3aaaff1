import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import type { Incident } from '#shared/contracts/incident.ts'
import { incidentQuery } from '../../api/queries.ts'
import { useTopic } from '../../api/stream.tsx'
import { Clock } from '../../ui/clock.tsx'
import { ClockBar } from '../../ui/clock-bar.tsx'
import { FilterTabs } from '../../ui/filter-tabs.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { PriorityMark } from '../../ui/priority-mark.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'
import { Facts } from './facts.tsx'
import { People } from './people.tsx'
import { RoomActs } from './room-acts.tsx'
import { RoomTimeline } from './room-timeline.tsx'
import { RoomTrend } from './room-trend.tsx'
import { RoomWork } from './room-work.tsx'
import './incidents.css'
import './room.css'

const route = getRouteApi('/inside/incidents/$id')

const TABS = ['room', 'trend', 'people', 'work'] as const
type Tab = (typeof TABS)[number]

/** The room of one incident: who was called and where they are, what happened, what the machine does now. */
export function RoomScreen() {
  const { id } = route.useParams()
  const incident = useQuery(incidentQuery(id))
  return (
    <Loaded query={incident} height={400}>
      {(data) => <Room incident={data} />}
    </Loaded>
  )
}

function Room({ incident }: { readonly incident: Incident }) {
  const { t } = useTexts()
  const search = route.useSearch()
  const navigate = useNavigate()
  const tab = TABS.find((one) => one === search.tab) ?? 'room'
  useTopic(`record:${incident.id}`)
  useTopic(`channel:${incident.channelId}`)
  return (
    <div className={`room room-tab-${tab}`}>
      <div className="room-top">
        <RoomHead incident={incident} />
        <div className="room-acts">
          <RoomActs incident={incident} />
        </div>
      </div>
      <div className="room-clocks">
        <ClockBar clocks={incident.clocks} startedAt={incident.startedAt} />
      </div>
      <div className="room-tabs">
        <FilterTabs
          label={incident.number}
          active={tab}
          onChange={(key: Tab) =>
            void navigate({
              to: '/incidents/$id',
              params: { id: incident.number },
              search: { tab: key },
              replace: true,
            })
          }
          tabs={TABS.map((key) => ({ key, label: t(`room.${key}`) }))}
        />
      </div>
      <div className="room-left">
        <Facts incident={incident} />
        <People incident={incident} />
      </div>
      <RoomTimeline incident={incident} />
      <div className="room-right">
        <RoomTrend incident={incident} />
        <RoomWork incident={incident} />
      </div>
    </div>
  )
}

function RoomHead({ incident }: { readonly incident: Incident }) {
  const { t, read } = useTexts()
  return (
    <header className="room-head">
      <Link to="/incidents" className="room-back" aria-label={t('incidents.title')}>
        ‹
      </Link>
      <PriorityMark priority={incident.priority} active={incident.restoredAt === null} size={24} />
      <span className="chip severity">{incident.severity}</span>
      <span className="room-number num">{incident.number}</span>
      <h1 className="room-title">{read(incident.title)}</h1>
      <span className="row room-state">
        <StateBadge kind="incident" state={incident.state} />
        <b>
          <Clock since={incident.startedAt} until={incident.restoredAt} />
        </b>
      </span>
    </header>
  )
}
