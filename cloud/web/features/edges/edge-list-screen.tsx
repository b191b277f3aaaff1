import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import Button from 'antd/es/button'
import { useState } from 'react'
import type { Edge } from '#shared/contracts/edge.ts'
import type { Role } from '#shared/contracts/person.ts'
import { edgesQuery, sessionQuery } from '../../api/queries.ts'
import { useServerNow } from '../../api/server-time.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { formatAge } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'
import { useCauseWord } from '../../ui/words.ts'
import { RegisterDialog } from './register-dialog.tsx'
import './edges.css'

const isUnhealthy = (edge: Edge) => edge.status !== 'online' || edge.faults.length > 0
const byHealth = (a: Edge, b: Edge) => Number(isUnhealthy(b)) - Number(isUnhealthy(a)) || a.edge.localeCompare(b.edge)

const REGISTRARS: readonly Role[] = ['engineer', 'administrator']

/** The fleet of edge boxes, unhealthy ones first; each fault is told as cause and step. */
export function EdgeListScreen() {
  const { t } = useTexts()
  const edges = useQuery(edgesQuery)
  const roles = useQuery(sessionQuery).data?.person.roles ?? []
  const [isRegistering, setRegistering] = useState(false)
  const known = edges.data?.items
  const register =
    known && roles.some((role) => REGISTRARS.includes(role)) ? (
      <Button type="primary" onClick={() => setRegistering(true)}>
        {t('edges.register')}
      </Button>
    ) : null
  return (
    <div className="screen">
      <header className="screen-head">
        <div className="title">
          <h1>{t('edges.title')}</h1>
        </div>
        {known?.length ? register : null}
      </header>
      {isRegistering && known ? <RegisterDialog edges={known} onClose={() => setRegistering(false)} /> : null}
      <Loaded query={edges} height={240}>
        {(data) =>
          data.items.length === 0 ? (
            <EmptyState kind="nothing-yet" title={t('edges.empty')} next={t('edges.emptyNext')} act={register} />
          ) : (
            <ul className="edges">
              {data.items.toSorted(byHealth).map((edge) => (
                <li key={edge.id} className="panel">
                  <Link to="/edges/$id" params={{ id: edge.id }} className="edge-link">
                    <EdgeSummary edge={edge} />
                  </Link>
                  <Faults edge={edge} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </div>
  )
}

/** Whether it is there, how far behind, what it lost, what it carries. */
export function EdgeSummary({ edge }: { readonly edge: Edge }) {
  const { t, language } = useTexts()
  const now = useServerNow()
  const depth = Number(edge.journalDepth)
  return (
    <>
      <span className="row wrap">
        <b>
          {edge.group}/{edge.edge}
        </b>
        <StateBadge kind="edge" state={edge.status} />
        <span className="meta">{edge.name}</span>
      </span>
      <span className="edge-figures meta num">
        <span>
          {edge.lastMessageAt
            ? t('edges.lastMessage', { age: formatAge(now - Date.parse(edge.lastMessageAt), language) })
            : t('edges.noMessage')}
        </span>
        <span>
          {t('edges.journal')} {depth > 0 ? t('edges.journalDepth', { count: depth }) : t('edges.journalEmpty')}
        </span>
        <span>
          {t('edges.gaps')} {edge.gapCount}
        </span>
        <span>
          {t('edges.devices')} {edge.deviceCount}
        </span>
        <span>
          {t('edges.tags')} {edge.tagCount}
        </span>
      </span>
    </>
  )
}

/** What is wrong in words; the last gap with its cause. */
export function Faults({ edge }: { readonly edge: Edge }) {
  const { t, time } = useTexts()
  const causeWord = useCauseWord()
  const gap = edge.lastGap
  if (edge.faults.length === 0 && !gap) return null
  return (
    <ul className="edge-faults">
      {edge.faults.map((fault) => (
        <li key={`${fault.code}${fault.detail}`}>
          <b aria-hidden="true">! </b>
          {fault.detail}
        </li>
      ))}
      {gap ? (
        <li className="meta">
          {t('edges.gaps')} {gap.device ?? ''}:{' '}
          {t('edges.gapLast', {
            count: Number(gap.count),
            cause: causeWord(gap.cause),
            from: time(gap.from),
            to: time(gap.to),
          })}
        </li>
      ) : null}
    </ul>
  )
}
