import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { Icon, type IconName } from './icons.tsx'
import { useTexts } from './language.ts'
import './timeline.css'

/** One line of a timeline: a fact of a machine, a person or the system, a message, or a card. */
export interface TimelineLine {
  readonly id: string
  readonly at: string
  readonly source: 'machine' | 'person' | 'system'
  readonly actor: string | null
  readonly body: ReactNode
  /** Where the evidence stands. */
  readonly href?: string | undefined
  readonly isMessage?: boolean
}

const SOURCE_ICONS: Readonly<Record<TimelineLine['source'], IconName>> = {
  machine: 'assets',
  person: 'user',
  system: 'edges',
}

/** Facts and messages in the order of time; each links to its evidence. */
export function Timeline({ lines, label }: { readonly lines: readonly TimelineLine[]; readonly label: string }) {
  const { t, time } = useTexts()
  return (
    <ol className="timeline" aria-label={label}>
      {lines.map((line) => (
        <li key={line.id} className={line.isMessage ? 'line line-message' : 'line'}>
          <time className="num meta" dateTime={line.at}>
            {line.href ? <Link to={line.href}>{time(line.at)}</Link> : time(line.at)}
          </time>
          <span
            className="line-source"
            title={line.source === 'machine' ? t('room.machine') : (line.actor ?? t('room.system'))}
          >
            <Icon name={SOURCE_ICONS[line.source]} size={14} />
          </span>
          <div className="line-body">
            {line.actor ? <b className="line-actor">{line.actor}</b> : null}
            {line.body}
          </div>
        </li>
      ))}
    </ol>
  )
}
