import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import type { WorkOrder } from '#shared/contracts/work-order.ts'
import { sessionQuery, workOrdersQuery } from '../../api/queries.ts'
import { serverNow } from '../../api/server-time.ts'
import { AssetPath } from '../../ui/asset-path.tsx'
import { Due } from '../../ui/clock.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { FilterTabs } from '../../ui/filter-tabs.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { PriorityMark } from '../../ui/priority-mark.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'
import { type Buckets, bucketsOf } from './buckets.ts'
import { PrimaryAct } from './order-acts.tsx'
import './work.css'

const route = getRouteApi('/inside/work')

const SHOWS = ['mine', 'open', 'closed'] as const
type Show = (typeof SHOWS)[number]
const SHOW_TEXTS = { mine: 'work.mine', open: 'work.team', closed: 'work.doneToday' } as const

/** The orders of one person, or of the team: now, next, later. Phone first. */
export function WorkScreen() {
  const { t } = useTexts()
  const search = route.useSearch()
  const navigate = useNavigate()
  const roles = useQuery(sessionQuery).data?.person.roles ?? []
  const preset: Show = roles.includes('technician') ? 'mine' : 'open'
  const show = SHOWS.find((one) => one === search.show) ?? preset
  const orders = useQuery(workOrdersQuery({ show }))
  return (
    <div className="screen">
      <header className="screen-head">
        <div className="title">
          <h1>{t('work.title')}</h1>
        </div>
        <FilterTabs
          label={t('work.title')}
          active={show}
          onChange={(key: Show) => void navigate({ to: '/work', search: { show: key }, replace: true })}
          tabs={SHOWS.map((key) => ({ key, label: t(SHOW_TEXTS[key]) }))}
        />
      </header>
      <Loaded query={orders} height={240}>
        {(data) =>
          data.items.length === 0 ? (
            <EmptyState kind="all-clear" title={t('work.clear')} next={t('work.clearNext')} />
          ) : (
            <Sections buckets={bucketsOf(data.items, serverNow())} />
          )
        }
      </Loaded>
    </div>
  )
}

const SECTIONS = ['now', 'next', 'later'] as const

function Sections({ buckets }: { readonly buckets: Buckets }) {
  const { t } = useTexts()
  return SECTIONS.map((key) =>
    buckets[key].length === 0 ? null : (
      <section key={key} className="stack" aria-label={t(`work.${key}`)}>
        <h2>
          {t(`work.${key}`)} <span className="meta num">{buckets[key].length}</span>
        </h2>
        <ul className="orders">
          {buckets[key].map((order) => (
            <li key={order.id} className="panel order-card">
              <OrderCard order={order} hasAct={key === 'now' || order.state === 'done'} />
            </li>
          ))}
        </ul>
      </section>
    ),
  )
}

function OrderCard({ order, hasAct }: { readonly order: WorkOrder; readonly hasAct: boolean }) {
  const { t, read } = useTexts()
  return (
    <>
      <Link to="/work-orders/$id" params={{ id: order.number }} className="order-link">
        <span className="row">
          <PriorityMark priority={order.priority} size={24} />
          <b className="grow">{read(order.title)}</b>
        </span>
        <span className="row wrap meta">
          <span>{order.number}</span>
          <AssetPath path={order.assetPath} asset={order.asset} />
          {order.incident ? <span>{order.incident.number}</span> : null}
        </span>
        <span className="row wrap">
          <StateBadge kind="order" state={order.state} />
          <span className="grow clip">{order.assignee?.name ?? t('work.nobody')}</span>
          {order.dueAt && order.doneAt === null ? <Due at={order.dueAt} /> : null}
        </span>
      </Link>
      {hasAct ? <PrimaryAct order={order} isBig /> : null}
    </>
  )
}
