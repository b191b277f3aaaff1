import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import Button from 'antd/es/button'
import { useState } from 'react'
import { type ResponseInput, respondToIncident, type Send } from '../../api/acts.ts'
import { ApiError } from '../../api/http.ts'
import { callPageQuery } from '../../api/queries.ts'
import { useServerNow } from '../../api/server-time.ts'
import type { CallPage } from '../../api/types.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { AssetPath } from '../../ui/asset-path.tsx'
import { Choices } from '../../ui/choices.tsx'
import { Clock } from '../../ui/clock.tsx'
import { formatAge } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { PriorityMark } from '../../ui/priority-mark.tsx'
import { ReasonDialog } from '../../ui/reason-dialog.tsx'
import './page.css'

const route = getRouteApi('/inside/p/$id')

/** What a called person sees first: what, where, since when, and one big button. Opening it accepts nothing. */
export function PageScreen() {
  const { id } = route.useParams()
  const page = useQuery(callPageQuery(id))
  return (
    <div className="page-sheet">
      <Loaded query={page} height={320}>
        {(data) => <Sheet page={data} />}
      </Loaded>
    </div>
  )
}

const ENDED: readonly string[] = ['restored', 'review', 'closed', 'merged', 'cancelled']

function Sheet({ page }: { readonly page: CallPage }) {
  const { t, read, language, time } = useTexts()
  const now = useServerNow()
  const { incident } = page
  return (
    <>
      <p className="meta">
        {t('page.called')} · {t('page.pagedAt', { time: time(page.pagedAt) })}
      </p>
      <header className="page-head">
        <PriorityMark priority={incident.priority} acked={page.acceptedAt !== null} size={40} />
        <div className="stack">
          <h1>{read(incident.title)}</h1>
          <span className="row wrap">
            <span className="chip severity">{incident.severity}</span>
            <AssetPath path={incident.assetPath} asset={incident.asset} />
            <span>{t('page.ago', { age: formatAge(now - Date.parse(incident.startedAt), language) })}</span>
          </span>
        </div>
      </header>
      <p className="page-value">
        <Clock since={incident.startedAt} until={incident.restoredAt} />
        <Reading page={page} />
      </p>
      <Answer page={page} />
      <Link to="/incidents/$id" params={{ id: incident.number }} className="page-room">
        {t('page.room')} · {incident.number}
      </Link>
    </>
  )
}

function Reading({ page }: { readonly page: CallPage }) {
  if (page.value === undefined || page.value === null) return null
  const value = typeof page.value === 'number' ? Number(page.value.toPrecision(4)) : page.value
  return (
    <b>
      {' '}
      {String(value)} {page.unit} {page.setpoint == null ? '' : `/ ${page.setpoint}`}
    </b>
  )
}

const ETAS = [5, 10, 20] as const

function Answer({ page }: { readonly page: CallPage }) {
  const { t, time } = useTexts()
  const [eta, setEta] = useState<number>()
  const [isDeclining, setDeclining] = useState(false)
  const { incident } = page
  const answer = (input: ResponseInput) => async (send: Send) => {
    try {
      await respondToIncident(incident.id, input, send)
    } catch (error) {
      const isUnsent = error instanceof ApiError && error.problem.status === 0
      throw isUnsent ? new Error(t('page.notSent')) : error
    }
  }
  if (page.arrivedAt) return <p className="page-said">{t('page.arrived', { time: time(page.arrivedAt) })}</p>
  if (ENDED.includes(incident.state)) return <p className="page-said">{t('page.over')}</p>
  if (page.acceptedAt) {
    return (
      <>
        <p className="page-said">{t('page.accepted', { time: time(page.acceptedAt) })}</p>
        <ActionButton key="arrive" isPrimary isBig label={t('words.act.arrive')} run={answer({ response: 'arrive' })} />
      </>
    )
  }
  return (
    <>
      {page.declinedAt ? <p className="page-said">{t('page.declined', { time: time(page.declinedAt) })}</p> : null}
      <ActionButton
        key="accept"
        isPrimary
        isBig
        label={t('page.accept')}
        run={answer({ response: 'accept', ...(eta === undefined ? {} : { etaMinutes: eta }) })}
      />
      <div className="stack">
        <span className="meta">{t('page.eta')}</span>
        <Choices
          label={t('page.eta')}
          options={ETAS.map((key) => ({ key, text: t('page.etaMinutes', { count: key }) }))}
          chosen={eta}
          onChoose={setEta}
        />
      </div>
      <div className="row wrap">
        {page.seenAt ? null : <ActionButton label={t('page.seen')} run={answer({ response: 'seen' })} />}
        <Button onClick={() => setDeclining(true)}>{t('page.decline')}</Button>
      </div>
      {isDeclining ? (
        <ReasonDialog
          title={t('room.declineTitle')}
          submit={t('room.declineSend')}
          run={(reason, send) => answer({ response: 'decline', reason })(send)}
          onClose={() => setDeclining(false)}
        />
      ) : null}
    </>
  )
}
