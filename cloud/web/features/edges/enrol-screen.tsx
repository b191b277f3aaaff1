import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { EdgeRegistered } from '#shared/contracts/edge.ts'
import type { MadeCode } from '../../api/acts.ts'
import { edgeQuery, edgesQuery, sessionQuery } from '../../api/queries.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { EnrolBox } from './enrol-box.tsx'
import { mayManage } from './fleet.ts'
import { RegisterForm } from './register-form.tsx'
import './edges.css'

const route = getRouteApi('/inside/edges/new')

/** What is shown this one time: it lives as long as the screen. */
interface Once {
  readonly registered: EdgeRegistered
  readonly issued: MadeCode | undefined
}

/** Enrols a box: its name, a one-time code with the lines to run, and the box on its way. */
export function EnrolScreen() {
  const { t } = useTexts()
  const navigate = useNavigate()
  const { edge: id } = route.useSearch()
  const session = useQuery(sessionQuery)
  const [once, setOnce] = useState<Once>()
  const canEnrol = mayManage(session.data?.person.roles ?? [])
  return (
    <div className="screen enrol">
      <header className="screen-head">
        <div className="title">
          <Link to="/edges" aria-label={t('edges.title')} className="edge-up">
            ‹
          </Link>
          <h1>{t('edges.enrol')}</h1>
        </div>
      </header>
      {session.data && !canEnrol ? <EmptyState kind="nothing-yet" title={t('edges.new.notAllowed')} /> : null}
      {canEnrol && id === undefined ? (
        <NewEdge
          onRegistered={(registered, issued) => {
            setOnce({ registered, issued })
            void navigate({ to: '/edges/new', search: { edge: registered.edge.id }, replace: true })
          }}
        />
      ) : null}
      {canEnrol && id !== undefined ? <KnownEdge key={id} id={id} once={once} /> : null}
    </div>
  )
}

function NewEdge({ onRegistered }: Pick<Parameters<typeof RegisterForm>[0], 'onRegistered'>) {
  const edges = useQuery(edgesQuery)
  return (
    <Loaded query={edges} height={320}>
      {(data) => <RegisterForm edges={data.items} onRegistered={onRegistered} />}
    </Loaded>
  )
}

function KnownEdge({ id, once }: { readonly id: string; readonly once: Once | undefined }) {
  const edge = useQuery(edgeQuery(id))
  return (
    <Loaded query={edge} height={320}>
      {(data) => <EnrolBox edge={data} registered={once?.registered} first={once?.issued} />}
    </Loaded>
  )
}
