import type { ReactNode } from 'react'
import './states.css'

export interface EmptyStateProps {
  /** Nothing yet teaches a step, all clear says so, filtered offers to clear the filters. */
  readonly kind: 'nothing-yet' | 'all-clear' | 'filtered'
  readonly title: string
  readonly next?: string | undefined
  readonly act?: ReactNode
}

/** A fact, then a step. */
export function EmptyState({ kind, title, next, act }: EmptyStateProps) {
  return (
    <div className={`empty empty-${kind}`}>
      <p className="empty-title">{title}</p>
      {next ? <p className="meta">{next}</p> : null}
      {act}
    </div>
  )
}
