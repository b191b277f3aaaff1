import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import Button from 'antd/es/button'
import type { WorkOrder } from '#shared/contracts/work-order.ts'
import { workOrderQuery } from '../../api/queries.ts'
import { AssetPath } from '../../ui/asset-path.tsx'
import { Clock, Due } from '../../ui/clock.tsx'
import { formatSpan } from '../../ui/format.ts'
import { Icon } from '../../ui/icons.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { PersonChip } from '../../ui/person-chip.tsx'
import { PriorityMark } from '../../ui/priority-mark.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'
import { OtherActs, PrimaryAct } from './order-acts.tsx'
import { OrderTrend } from './order-trend.tsx'
import { Tasks } from './tasks.tsx'
import './work.css'

const route = getRouteApi('/inside/work-orders/$id')

/** One work order: why, what is to be done, who has it, and the next act. */
export function OrderScreen() {
  const { id } = route.useParams()
  const order = useQuery(workOrderQuery(id))
  return (
    <Loaded query={order} height={400}>
      {(data) => <Order order={data} />}
    </Loaded>
  )
}

function Order({ order }: { readonly order: WorkOrder }) {
  return (
    <div className="screen order">
      <Head order={order} />
      <div className="order-columns">
        <div className="stack">
          <Why order={order} />
          <Tasks order={order} />
        </div>
        <div className="stack">
          <Course order={order} />
          <Failure order={order} />
        </div>
      </div>
      <footer className="order-acts">
        <PrimaryAct order={order} isBig />
        <OtherActs order={order} />
      </footer>
    </div>
  )
}

function Head({ order }: { readonly order: WorkOrder }) {
  const { t, read } = useTexts()
  return (
    <header className="screen-head">
      <div className="title">
        <PriorityMark priority={order.priority} size={24} />
        <h1>
          <span className="meta num">{order.number}</span> {read(order.title)}
        </h1>
      </div>
      <span className="row wrap">
        <StateBadge kind="order" state={order.state} />
        {order.holdReason ? <span>{t('order.onHold', { reason: order.holdReason })}</span> : null}
        {order.dueAt && order.doneAt === null ? <Due at={order.dueAt} /> : null}
      </span>
      <span className="acts no-print">
        <Button onClick={() => window.print()} icon={<Icon name="print" />}>
          {t('order.print')}
        </Button>
      </span>
    </header>
  )
}

function Why({ order }: { readonly order: WorkOrder }) {
  const { t } = useTexts()
  return (
    <section className="panel">
      <header>
        <h2 className="grow">{t('order.why')}</h2>
        <span className="chip">{t(`words.orderKind.${order.kind}`)}</span>
      </header>
      <div className="body stack">
        <div className="row wrap">
          <Link to="/assets/$id" params={{ id: order.asset.id }}>
            <AssetPath path={order.assetPath} asset={order.asset} depth={3} />
          </Link>
          {order.incident ? (
            <Link to="/incidents/$id" params={{ id: order.incident.number }}>
              {order.incident.number}
            </Link>
          ) : null}
        </div>
        <OrderTrend order={order} />
      </div>
    </section>
  )
}

const COURSE = [
  ['created', 'createdAt'],
  ['accepted', 'acceptedAt'],
  ['arrived', 'arrivedAt'],
  ['in_progress', 'startedAt'],
  ['done', 'doneAt'],
  ['verified', 'verifiedAt'],
  ['closed', 'closedAt'],
] as const

/** Who has it, the steps so far with their times, and the labour. */
function Course({ order }: { readonly order: WorkOrder }) {
  const { t, time, language } = useTexts()
  return (
    <section className="panel">
      <header>
        <h2 className="grow">{t('order.history')}</h2>
        {order.assignee ? <PersonChip person={order.assignee} /> : <b>{t('work.nobody')}</b>}
      </header>
      <dl className="body course">
        {COURSE.map(([step, field]) => (
          <div key={step}>
            <dt>{step === 'created' ? t('order.created') : t(`words.order.${step}`)}</dt>
            <dd className="num">{order[field] ? time(order[field]) : '–'}</dd>
          </div>
        ))}
        <div>
          <dt>{t('order.labour')}</dt>
          <dd className="num">
            {order.state === 'in_progress' && order.startedAt ? (
              <Clock since={order.startedAt} />
            ) : (
              formatSpan(order.labourSeconds * 1000, language)
            )}
          </dd>
        </div>
        {order.dueAt ? (
          <div>
            <dt>{t('order.due')}</dt>
            <dd className="num">{time(order.dueAt, false)}</dd>
          </div>
        ) : null}
      </dl>
    </section>
  )
}

function Failure({ order }: { readonly order: WorkOrder }) {
  const { t } = useTexts()
  const { failure } = order
  if (!failure) return null
  const parts = [
    [t('order.mode'), failure.mode],
    [t('order.cause'), failure.cause],
    [t('order.remedy'), failure.remedy],
    [t('order.note'), failure.note],
  ] as const
  return (
    <section className="panel">
      <header>
        <h2>{t('order.failure')}</h2>
      </header>
      <dl className="body course">
        {parts.map(([name, value]) =>
          value ? (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ) : null,
        )}
      </dl>
    </section>
  )
}
