import { Link } from '@tanstack/react-router'
import Button from 'antd/es/button'
import type { ReactNode } from 'react'
import type { Edge } from '#shared/contracts/edge.ts'
import { useServerNow } from '../../api/server-time.ts'
import { formatAge } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'

interface Props {
  readonly edge: Edge
  /** When the box used the code. */
  readonly enrolledAt: string | undefined
  /** Where the box asks. */
  readonly url: string
}

/** How far a box has come: code made, code used, connected. */
export function EnrolProgress({ edge, enrolledAt, url }: Props) {
  const { t, language } = useTexts()
  const now = useServerNow()
  const age = (at: string) => formatAge(now - Date.parse(at), language)
  const { connectedAt } = edge
  const isConnected =
    enrolledAt !== undefined && edge.status === 'online' && connectedAt !== null && connectedAt > enrolledAt
  return (
    <section className="panel" aria-live="polite">
      <header>
        <h2>{t('edges.new.progress')}</h2>
      </header>
      <ol className="body enrol-steps">
        <Step state="done">{t('edges.new.codeMade')}</Step>
        <Step state={enrolledAt ? 'done' : 'now'}>
          {enrolledAt ? t('edges.new.enrolled', { age: age(enrolledAt) }) : t('edges.new.waitingEnrol')}
        </Step>
        <Step state={isConnected ? 'done' : enrolledAt ? 'now' : 'later'}>
          {isConnected && connectedAt
            ? t('edges.new.connected', { age: age(connectedAt) })
            : t('edges.new.waitingConnect')}
        </Step>
      </ol>
      {isConnected ? (
        <div className="body">
          <Link to="/edges/$id/{-$tab}" params={{ id: edge.id, tab: 'configuration' }}>
            <Button type="primary" tabIndex={-1}>
              {t('edges.new.next')}
            </Button>
          </Link>
        </div>
      ) : null}
      {enrolledAt ? null : <p className="edge-note meta">{t('edges.new.slow', { url })}</p>}
    </section>
  )
}

function Step({ state, children }: { readonly state: 'done' | 'now' | 'later'; readonly children: ReactNode }) {
  const glyph = { done: '✓', now: '◔', later: '○' }[state]
  return (
    <li className={state === 'now' ? 'enrol-now' : undefined}>
      <span aria-hidden="true">{glyph}</span> {children}
    </li>
  )
}
