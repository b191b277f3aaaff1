import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { Alarm } from '#shared/contracts/alarm.ts'
import { alarmsQuery, LIST_LIMIT } from '../../api/queries.ts'
import { useServerNow } from '../../api/server-time.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { FilterTabs } from '../../ui/filter-tabs.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { useLiveRows } from '../../ui/use-live-rows.ts'
import { AlarmFilters } from './alarm-filters.tsx'
import { bulkOf, byUrgency, floodCount, groupByAsset } from './alarm-order.ts'
import { AlarmRow } from './alarm-row.tsx'
import { BulkBar } from './bulk-bar.tsx'
import { ShelveDialog } from './shelve-dialog.tsx'
import { useAlarmKeys } from './use-alarm-keys.ts'
import './alarms.css'

const route = getRouteApi('/inside/alarms')

const SHOWS = ['annunciated', 'shelved', 'suppressed', 'out-of-service', 'all'] as const
type Show = (typeof SHOWS)[number]
const SHOW_TEXTS = {
  annunciated: 'alarms.annunciated',
  shelved: 'alarms.shelved',
  suppressed: 'alarms.suppressed',
  'out-of-service': 'alarms.outOfService',
  all: 'alarms.all',
} as const
const CLEAR_TEXTS = {
  annunciated: 'alarms.clear',
  shelved: 'alarms.clearShelved',
  suppressed: 'alarms.clearSuppressed',
  'out-of-service': 'alarms.clearOut',
  all: 'alarms.clear',
} as const

export type AlarmSearch = ReturnType<typeof route.useSearch>

const showOf = (given: string | undefined): Show => SHOWS.find((show) => show === given) ?? 'annunciated'

/** The live alarm list. No time window: a standing alarm never drops out. */
export function AlarmListScreen() {
  const { t } = useTexts()
  const search = route.useSearch()
  const navigate = useNavigate()
  const show = showOf(search.show)
  const filter = { show, priority: search.priority, asset: search.asset, q: search.q }
  const alarms = useQuery(alarmsQuery(filter))
  const change = (next: AlarmSearch) => void navigate({ to: '/alarms', search: next, replace: true })
  const count = alarms.data?.items.length
  return (
    <div className="screen">
      <header className="screen-head">
        <div className="title">
          <h1>{t('alarms.title')}</h1>
        </div>
        <FilterTabs
          label={t('alarms.columns.state')}
          active={show}
          onChange={(key) => change({ ...search, show: key })}
          tabs={SHOWS.map((key) => ({
            key,
            label: key === show && count !== undefined ? `${t(SHOW_TEXTS[key])} ${count}` : t(SHOW_TEXTS[key]),
          }))}
        />
      </header>
      <AlarmFilters search={search} onChange={change} />
      <Loaded query={alarms} height={320}>
        {(data) => <AlarmRows alarms={data.items} search={search} show={show} onChange={change} />}
      </Loaded>
    </div>
  )
}

interface RowsProps {
  readonly alarms: readonly Alarm[]
  readonly search: AlarmSearch
  readonly show: Show
  readonly onChange: (next: AlarmSearch) => void
}

const FLOOD = 10

function AlarmRows({ alarms, search, show, onChange }: RowsProps) {
  const { t } = useTexts()
  const now = useServerNow()
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [focused, setFocused] = useState<string>()
  const [refused, setRefused] = useState<{ readonly id: string; readonly cause: string }>()
  const [shelving, setShelving] = useState<readonly Alarm[]>()
  const ordered = search.group === 'asset' ? groupByAsset(alarms) : alarms.toSorted(byUrgency)
  const scope = JSON.stringify([show, search])
  const live = useLiveRows(ordered, (alarm) => alarm.id, { isHeld: selected.size > 0, scope })
  const rows = live.shown.map((shown) => shown.row)
  const toggle = (id: string) => {
    const next = new Set(selected)
    if (!next.delete(id)) next.add(id)
    setSelected(next)
  }
  useAlarmKeys({
    rows,
    focused,
    onFocus: setFocused,
    onToggle: toggle,
    onShelve: (alarm) => setShelving([alarm]),
    onRefusal: (id, cause) => setRefused(cause === undefined ? undefined : { id, cause }),
  })
  const chosen = rows.filter((alarm) => selected.has(alarm.id))
  const flood = floodCount(alarms, now)
  if (live.shown.length === 0 && live.waiting === 0) return <Clear search={search} show={show} onChange={onChange} />
  return (
    <>
      {flood > FLOOD ? <p className="flood">{t('alarms.flood', { count: flood })}</p> : null}
      <BulkBar
        bulk={bulkOf(rows, chosen)}
        onClear={() => setSelected(new Set())}
        onShelve={() => setShelving(chosen)}
      />
      {live.waiting > 0 ? (
        <button type="button" className="new-rows" onClick={live.admit}>
          {t('action.showNew', { count: live.waiting })}
        </button>
      ) : null}
      <ul className="alarm-list panel" aria-label={t('alarms.title')}>
        {live.shown.map(({ row, leaving }) => (
          <AlarmRow
            key={row.id}
            alarm={row}
            isLeaving={leaving}
            isSelected={selected.has(row.id)}
            isFocused={focused === row.id}
            refusal={refused?.id === row.id ? refused.cause : undefined}
            onToggle={() => toggle(row.id)}
            onShelve={() => setShelving([row])}
          />
        ))}
      </ul>
      {alarms.length >= LIST_LIMIT ? <p className="meta">{t('alarms.limited', { count: LIST_LIMIT })}</p> : null}
      <p className="meta alarm-keys">{t('alarms.keys')}</p>
      {shelving ? <ShelveDialog alarms={shelving} onClose={() => setShelving(undefined)} /> : null}
    </>
  )
}

function Clear({ search, show, onChange }: Omit<RowsProps, 'alarms'>) {
  const { t } = useTexts()
  const isFiltered = Boolean(search.priority || search.asset || search.q)
  if (!isFiltered) return <EmptyState kind="all-clear" title={t(CLEAR_TEXTS[show])} next={t('alarms.clearNext')} />
  return (
    <EmptyState
      kind="filtered"
      title={t('alarms.clearFiltered')}
      act={
        <button type="button" className="choice" onClick={() => onChange({ show })}>
          {t('action.clearFilters')}
        </button>
      }
    />
  )
}
