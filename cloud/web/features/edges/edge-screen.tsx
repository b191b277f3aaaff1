import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import type { Device, Edge } from '#shared/contracts/edge.ts'
import type { Tag } from '#shared/contracts/tag.ts'
import { devicesQuery, edgeQuery, tagsQuery } from '../../api/queries.ts'
import { useLiveValue } from '../../api/stream.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'
import { LiveTagValue } from '../../ui/tag-value.tsx'
import { EdgeSummary, Faults } from './edge-list-screen.tsx'
import './edges.css'

const route = getRouteApi('/inside/edges/$id')

/** One edge box: how it is, its devices, its tags with live values. */
export function EdgeScreen() {
  const { id } = route.useParams()
  const edge = useQuery(edgeQuery(id))
  return (
    <div className="screen">
      <Loaded query={edge} height={320}>
        {(data) => <Box edge={data} />}
      </Loaded>
    </div>
  )
}

function Box({ edge }: { readonly edge: Edge }) {
  const { t, time } = useTexts()
  return (
    <>
      <header className="screen-head">
        <div className="title">
          <Link to="/edges" aria-label={t('edges.title')}>
            ‹
          </Link>
          <h1>{edge.edge}</h1>
        </div>
        {edge.connectedAt && edge.status === 'online' ? (
          <span className="meta">{t('edges.since', { time: time(edge.connectedAt) })}</span>
        ) : null}
      </header>
      <section className="panel">
        <div className="edge-link">
          <EdgeSummary edge={edge} />
        </div>
        <Faults edge={edge} />
        {edge.faults.length === 0 ? <p className="edge-ok meta">✓ {t('edges.faultsNone')}</p> : null}
      </section>
      <Devices edge={edge} />
      <Tags edge={edge} />
    </>
  )
}

function Devices({ edge }: { readonly edge: Edge }) {
  const { t } = useTexts()
  const devices = useQuery(devicesQuery(edge.id))
  return (
    <section className="panel">
      <header>
        <h2>{t('edges.devices')}</h2>
      </header>
      <Loaded query={devices} height={120}>
        {(data) =>
          data.items.length === 0 ? (
            <EmptyState kind="nothing-yet" title={t('edges.devicesEmpty')} />
          ) : (
            <ul>
              {data.items.map((device) => (
                <DeviceRow key={device.id} edge={edge} device={device} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  )
}

function DeviceRow({ edge, device }: { readonly edge: Edge; readonly device: Device }) {
  const { t, time } = useTexts()
  return (
    <li className="device-row">
      <Link to="/edges/$id" params={{ id: edge.id }} search={{ device: device.device }}>
        <b>{device.device}</b>
      </Link>
      <StateBadge kind="edge" state={device.status} />
      <span className="meta">{device.profile}</span>
      <span className="num meta">
        {t('edges.tags')} {device.tagCount}
      </span>
      {device.badTagCount > 0 ? (
        <b>{t('edges.bad', { count: device.badTagCount })}</b>
      ) : (
        <span className="meta">{t('edges.allGood')}</span>
      )}
      <span className="num meta">{device.bornAt ? t('edges.since', { time: time(device.bornAt) }) : ''}</span>
    </li>
  )
}

function Tags({ edge }: { readonly edge: Edge }) {
  const { t } = useTexts()
  const search = route.useSearch()
  const navigate = useNavigate()
  const tags = useQuery(tagsQuery({ edge: edge.edge, ...(search.device ? { device: search.device } : {}) }))
  const wanted = (search.q ?? '').toLowerCase()
  const go = (next: typeof search) =>
    void navigate({ to: '/edges/$id', params: { id: edge.id }, search: next, replace: true })
  return (
    <section className="panel">
      <header>
        <h2 className="grow">
          {t('edges.tags')} {search.device ? `· ${search.device}` : ''}
        </h2>
        {search.device ? (
          <button type="button" className="choice" onClick={() => go(search.q ? { q: search.q } : {})}>
            {t('edges.all')}
          </button>
        ) : null}
        <input
          type="search"
          className="field"
          aria-label={t('edges.tagSearch')}
          placeholder={t('edges.tagSearch')}
          value={search.q ?? ''}
          onChange={(event) => go({ ...search, q: event.target.value })}
        />
      </header>
      <Loaded query={tags} height={240}>
        {(data) => <TagTable tags={data.items.filter((tag) => tag.path.toLowerCase().includes(wanted))} />}
      </Loaded>
    </section>
  )
}

function TagTable({ tags }: { readonly tags: readonly Tag[] }) {
  const { t, read } = useTexts()
  if (tags.length === 0) return <EmptyState kind="filtered" title={t('edges.tagsEmpty')} />
  return (
    <div className="tag-scroll">
      <table className="tag-table">
        <thead>
          <tr>
            <th scope="col">{t('edges.device')}</th>
            <th scope="col">{t('edges.tag')}</th>
            <th scope="col">{t('edges.value')}</th>
            <th scope="col">{t('edges.at')}</th>
          </tr>
        </thead>
        <tbody>
          {tags.map((tag) => (
            <tr key={tag.id}>
              <td>{tag.device}</td>
              <td>
                <Link to="/trends" search={{ tags: tag.path }}>
                  {read(tag.name)}
                </Link>{' '}
                <span className="meta">{tag.tag}</span>
              </td>
              <td>
                <LiveTagValue tag={tag} />
              </td>
              <td className="num meta">
                <SourceTime tag={tag} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function SourceTime({ tag }: { readonly tag: Tag }) {
  const { time } = useTexts()
  const at = (useLiveValue(tag.path) ?? tag).sourceAt
  return at ? time(at) : '–'
}
