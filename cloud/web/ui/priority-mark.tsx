import { useState } from 'react'
import { PRIORITIES, type Priority } from '#shared/contracts/priority.ts'
import './priority-mark.css'
import { useTexts } from './language.ts'

const SHAPES: Readonly<Record<Priority, { readonly path: string; readonly y: number; readonly size: number }>> = {
  critical: { path: 'M2 2h20v20H2z', y: 16.6, size: 14 },
  high: { path: 'M12 1.5L23 22H1z', y: 19.5, size: 12.5 },
  medium: { path: 'M12 22.5L23 2H1z', y: 13, size: 12.5 },
  low: { path: 'M12 1.5a10.5 10.5 0 1 0 0 21 10.5 10.5 0 0 0 0-21z', y: 16.6, size: 14 },
}

export interface PriorityMarkProps {
  readonly priority: Priority
  /** Filled while the condition is true, outline once it has returned. */
  readonly active?: boolean
  /** A ring blinks round the mark until somebody acknowledges. */
  readonly acked?: boolean
  readonly size?: number
  /** The word stands beside it, so that the mark need not say it again. */
  readonly isDecorative?: boolean
}

/** Priority as colour, shape and numeral; the only thing that may blink. */
export function PriorityMark(props: PriorityMarkProps) {
  const { priority, active = true, acked = true, size = 16, isDecorative = false } = props
  const { t } = useTexts()
  /** All rings blink in phase: each starts where the shared second stands. */
  const [delay] = useState(() => `-${Math.round(performance.now() % 1000)}ms`)
  const shape = SHAPES[priority]
  const label = isDecorative ? { 'aria-hidden': true } : { role: 'img', 'aria-label': t(`words.priority.${priority}`) }
  return (
    <span className="mark" style={{ width: size, height: size }} {...label}>
      {acked ? null : <span className="mark-ring" style={{ animationDelay: delay }} />}
      <svg viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" focusable="false">
        <path
          d={shape.path}
          fill={active ? `var(--${priority}-mark)` : 'transparent'}
          stroke={`var(--${priority}-edge)`}
          strokeWidth={active ? 1.5 : 2.5}
          strokeLinejoin="round"
        />
        <text
          x="12"
          y={shape.y}
          textAnchor="middle"
          fontSize={shape.size}
          fontWeight="700"
          fill={active ? `var(--${priority}-numeral)` : 'var(--text)'}
        >
          {PRIORITIES.indexOf(priority) + 1}
        </text>
      </svg>
    </span>
  )
}
