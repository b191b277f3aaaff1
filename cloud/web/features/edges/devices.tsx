import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Device, Edge } from '#shared/contracts/edge.ts'
import { devicesQuery } from '../../api/queries.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'
import { useBoxWords } from './box-words.ts'

type Told = NonNullable<Edge['report']>['devices'][number]

interface Row {
  readonly name: string
  /** What the cloud knows of it; undefined for one that never announced itself. */
  readonly device: Device | undefined
  /** What the box tells of it; undefined for other makes, and where too many are configured. */
  readonly told: Told | undefined
}

/** Every device that was announced or that the box tells of; those that do not answer first. */
function rowsOf(devices: readonly Device[], told: readonly Told[]): readonly Row[] {
  const names = new Set([...devices.map(({ device }) => device), ...told.map(({ device }) => device)])
  const rows = [...names].map((name) => ({
    name,
    device: devices.find(({ device }) => device === name),
    told: told.find(({ device }) => device === name),
  }))
  const rank = ({ device, told: own }: Row) => (own?.state === 'lost' || device?.status !== 'online' ? 0 : 1)
  return rows.toSorted((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
}

/** The devices of a box: whether they answer, why not, and how many of their tags are bad. */
export function Devices({ edge }: { readonly edge: Edge }) {
  const { t } = useTexts()
  const devices = useQuery(devicesQuery(edge.id))
  // What a box told before it was cut off says nothing of now.
  const told = edge.status === 'online' ? (edge.report?.devices ?? []) : []
  return (
    <section className="panel" aria-label={t('edges.tab.devices')}>
      <Loaded query={devices} height={120}>
        {(data) =>
          data.items.length + told.length === 0 ? (
            <EmptyState kind="nothing-yet" title={t('edges.devicesEmpty')} next={t('edges.devicesEmptyNext')} />
          ) : (
            <ul>
              {rowsOf(data.items, told).map((row) => (
                <DeviceRow key={row.name} edge={edge} row={row} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  )
}

function DeviceRow({ edge, row }: { readonly edge: Edge; readonly row: Row }) {
  const { t, time } = useTexts()
  const { name, device, told } = row
  const box = useBoxWords()
  const bad = told?.badTags || device?.badTagCount || 0
  const since = told ? told.since : device?.bornAt
  return (
    <li className="device-row">
      <Link
        to="/edges/$id/{-$tab}"
        params={{ id: edge.id, tab: 'tags' }}
        search={{ device: name }}
        className="device-name"
      >
        <b>{name}</b>
      </Link>
      <DeviceState row={row} />
      <span className="meta">{[device?.profile, told?.protocol].filter(Boolean).join(' · ')}</span>
      <span className="num meta">{device ? t('edges.tagCount', { count: device.tagCount }) : ''}</span>
      {bad > 0 ? (
        <b>{t('edges.bad', { count: bad })}</b>
      ) : (
        <span className="meta">{device ? t('edges.allGood') : ''}</span>
      )}
      <span className="num meta">
        {since ? t('edges.sinceAt', { time: time(since) }) : ''}
        {told && told.overruns > 0 ? ` · ${t('edges.overruns', { count: told.overruns })}` : ''}
      </span>
      {told?.error ? <span className="device-error">{box.loss(told.lossKind, told.error)}</span> : null}
    </li>
  )
}

function DeviceState({ row: { device, told } }: { readonly row: Row }) {
  const { t } = useTexts()
  if (told && told.state !== 'answers') {
    const style = told.state === 'lost' ? 'state state-heavy' : 'state'
    return <span className={style}>{t(`edges.deviceState.${told.state}`)}</span>
  }
  return device ? (
    <StateBadge kind="edge" state={device.status} />
  ) : (
    <span className="state">{t('edges.deviceState.answers')}</span>
  )
}
