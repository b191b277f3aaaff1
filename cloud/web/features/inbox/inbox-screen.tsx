import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import type { InboxItem } from '#shared/contracts/inbox.ts'
import { completeInboxItem } from '../../api/acts.ts'
import { inboxQuery } from '../../api/queries.ts'
import { useServerNow } from '../../api/server-time.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { Due } from '../../ui/clock.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { FilterTabs } from '../../ui/filter-tabs.tsx'
import { formatAge } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { PriorityMark } from '../../ui/priority-mark.tsx'
import './inbox.css'

const route = getRouteApi('/inside/inbox')

const SHOWS = ['open', 'done'] as const
type Show = (typeof SHOWS)[number]

const byDue = (a: InboxItem, b: InboxItem) =>
  Number(b.isUrgent) - Number(a.isUrgent) ||
  (a.dueAt ?? '9').localeCompare(b.dueAt ?? '9') ||
  b.createdAt.localeCompare(a.createdAt)

/** What waits for the viewer, by due time; urgent notices first. */
export function InboxScreen() {
  const { t } = useTexts()
  const search = route.useSearch()
  const navigate = useNavigate()
  const show: Show = search.show === 'done' ? 'done' : 'open'
  const inbox = useQuery(inboxQuery(show))
  return (
    <div className="screen">
      <header className="screen-head">
        <div className="title">
          <h1>{t('inbox.title')}</h1>
        </div>
        <FilterTabs
          label={t('inbox.title')}
          active={show}
          onChange={(key: Show) => void navigate({ to: '/inbox', search: { show: key }, replace: true })}
          tabs={SHOWS.map((key) => ({ key, label: t(`inbox.${key}`) }))}
        />
      </header>
      <Loaded query={inbox} height={240}>
        {(data) =>
          data.items.length === 0 ? (
            <EmptyState
              kind="all-clear"
              title={show === 'open' ? t('inbox.clear') : t('inbox.clearDone')}
              next={show === 'open' ? t('inbox.clearNext') : undefined}
            />
          ) : (
            <ul className="panel">
              {data.items.toSorted(byDue).map((item) => (
                <ItemRow key={item.id} item={item} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </div>
  )
}

function ItemRow({ item }: { readonly item: InboxItem }) {
  const { t, read, language } = useTexts()
  const now = useServerNow()
  const href = item.pageId ? `/p/${item.pageId}` : item.record.href
  return (
    <li className="inbox-item">
      <span className="inbox-mark">
        {item.priority ? <PriorityMark priority={item.priority} size={24} acked={!item.isUrgent} /> : null}
      </span>
      <Link to={href} className="inbox-what">
        <span>
          <b>{read(item.title)}</b>
        </span>
        <span className="meta">
          {[
            t(`words.inbox.${item.kind}`),
            item.severity,
            item.record.number,
            item.detail ? read(item.detail) : null,
            t('time.ago', { age: formatAge(now - Date.parse(item.createdAt), language) }),
          ]
            .filter((part) => part)
            .join(' · ')}
        </span>
      </Link>
      <span className="row inbox-due">
        {item.isUrgent ? <span className="chip severity">{t('inbox.urgent')}</span> : null}
        {item.dueAt && !item.doneAt ? <Due at={item.dueAt} /> : null}
      </span>
      {item.doneAt ? null : <Acts item={item} href={href} />}
    </li>
  )
}

/** A call is answered and an approval decided where it is read; anything else may be put away here. */
function Acts({ item, href }: { readonly item: InboxItem; readonly href: string }) {
  const { t, read } = useTexts()
  const toDecide = item.kind === 'approve' ? t('inbox.decide') : undefined
  const leads = item.pageId ? t('inbox.answer') : toDecide
  return (
    <span className="inbox-acts">
      {leads ? (
        <Link to={href} className="inbox-answer">
          {leads}
        </Link>
      ) : (
        <ActionButton
          label={t('inbox.complete')}
          description={read(item.title)}
          run={(send) => completeInboxItem(item.id, send)}
        />
      )}
    </span>
  )
}
