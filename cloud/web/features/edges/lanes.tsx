import type { Edge } from '#shared/contracts/edge.ts'
import { useServerNow } from '../../api/server-time.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { formatAge, formatCount } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'

type Report = NonNullable<Edge['report']>
type Lane = Report['lanes'][number]

/** The physical links of a box as it tells of them; troubled ones first. */
export function Lanes({ edge }: { readonly edge: Edge }) {
  const { t } = useTexts()
  const { report } = edge
  return (
    <section className="panel" aria-label={t('edges.tab.lanes')}>
      {report && edge.status !== 'offline' ? (
        <LaneTable report={report} />
      ) : (
        <EmptyState kind="nothing-yet" title={t('edges.reportNone')} next={t('edges.reportNoneNext')} />
      )}
    </section>
  )
}

const COLUMNS = ['name', 'state', 'roundTrip', 'requests', 'timeouts', 'overruns', 'waiting'] as const
const trouble = ({ isOpen, timeouts, overruns, requests }: Lane) =>
  (isOpen ? 0 : 2) + (timeouts + overruns) / Math.max(1, requests)

function LaneTable({ report }: { readonly report: Report }) {
  const { t, language } = useTexts()
  const now = useServerNow()
  if (report.lanes.length === 0) return <EmptyState kind="nothing-yet" title={t('edges.lanesEmpty')} />
  return (
    <>
      <div className="tag-scroll">
        <table className="tag-table lane-table">
          <thead>
            <tr>
              {COLUMNS.map((column) => (
                <th key={column} scope="col">
                  {t(`edges.lane.${column}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {report.lanes
              .toSorted((a, b) => trouble(b) - trouble(a) || a.lane.localeCompare(b.lane))
              .map((lane) => (
                <LaneRow key={lane.lane} lane={lane} />
              ))}
          </tbody>
        </table>
      </div>
      <p className="edge-note meta">
        {t('edges.toldAt', { age: formatAge(now - report.at, language) })}
        {report.leftOut > 0 ? ` ${t('edges.leftOut', { count: report.leftOut })}` : ''}
      </p>
    </>
  )
}

function LaneRow({ lane }: { readonly lane: Lane }) {
  const { t, language } = useTexts()
  const figures = { requests: lane.requests, timeouts: lane.timeouts, overruns: lane.overruns, waiting: lane.waiting }
  return (
    <tr>
      <th scope="row">{lane.lane}</th>
      <td data-name={t('edges.lane.state')}>
        <span className={lane.isOpen ? 'state' : 'state state-heavy'}>
          {lane.isOpen ? t('edges.lane.open') : t('edges.lane.closed')}
        </span>
      </td>
      <td className="num" data-name={t('edges.lane.roundTrip')}>
        {lane.isOpen ? t('edges.lane.ms', { count: Math.round(lane.roundTripMs * 10) / 10 }) : '–'}
      </td>
      {(['requests', 'timeouts', 'overruns', 'waiting'] as const).map((name) => (
        <td key={name} className="num" data-name={t(`edges.lane.${name}`)}>
          {name !== 'requests' && figures[name] > 0 ? (
            <b>{formatCount(figures[name], language)}</b>
          ) : (
            formatCount(figures[name], language)
          )}
        </td>
      ))}
    </tr>
  )
}
