import type { ReactNode } from 'react'
import type { IsaState } from '#shared/contracts/alarm.ts'
import type { Edge } from '#shared/contracts/edge.ts'
import type { IncidentState } from '#shared/contracts/incident.ts'
import type { MachineState } from '#shared/contracts/machine-state.ts'
import type { WorkOrderState } from '#shared/contracts/work-order.ts'
import type { RetroState } from '../api/types.ts'
import { Icon } from './icons.tsx'
import { useTexts } from './language.ts'
import './state-badge.css'

const MACHINE_GLYPHS: Readonly<Record<MachineState, ReactNode>> = {
  running: '▶',
  idle: '‖',
  starved: '‖',
  blocked: '‖',
  'set-up': '⇄',
  'planned-stop': '▭',
  maintenance: <Icon name="work" size={12} />,
  'unplanned-stop': '✕',
  'no-data': '∅',
}

const ISA_GLYPHS: Readonly<Record<IsaState, ReactNode>> = {
  A: '○',
  B: '●',
  C: '●',
  D: '○',
  E: <Icon name="lock" size={12} />,
  F: <Icon name="lock" size={12} />,
  G: '◷',
  H: '⊘',
  I: <Icon name="work" size={12} />,
}

/** Work that runs stands out by its weight, never by a colour. */
const HEAVY = new Set<string>(['open', 'in_progress', 'working', 'on_hold', 'in_review', 'offline', 'stale'])

export type StateBadgeProps =
  | { readonly kind: 'machine'; readonly state: MachineState }
  | { readonly kind: 'alarm'; readonly state: IsaState; readonly flags?: readonly AlarmFlag[] }
  | { readonly kind: 'incident'; readonly state: IncidentState }
  | { readonly kind: 'order'; readonly state: WorkOrderState }
  | { readonly kind: 'retro'; readonly state: RetroState }
  | { readonly kind: 'edge'; readonly state: Edge['status'] }

type AlarmFlag =
  | 'active'
  | 'unacknowledged'
  | 'latched'
  | 'shelved'
  | 'suppressed-by-design'
  | 'out-of-service'
  | 'stale'

/** Flags that the state's own word does not say. */
const IMPLIED: Readonly<Record<IsaState, readonly AlarmFlag[]>> = {
  A: [],
  B: ['active', 'unacknowledged'],
  C: ['active'],
  D: ['unacknowledged'],
  E: ['latched', 'unacknowledged'],
  F: ['latched'],
  G: ['shelved'],
  H: ['suppressed-by-design'],
  I: ['out-of-service'],
}

/** State of a machine, an alarm or a record: glyph and word, with every other flag that is set. */
export function StateBadge(props: StateBadgeProps) {
  const { t } = useTexts()
  switch (props.kind) {
    case 'machine':
      return (
        <span className={`state machine-${props.state}`}>
          <span aria-hidden="true">{MACHINE_GLYPHS[props.state]}</span>
          {t(`words.machine.${props.state}`)}
        </span>
      )
    case 'alarm':
      return <AlarmState state={props.state} flags={props.flags ?? []} />
    case 'incident':
      return <Plain state={props.state} word={t(`words.incident.${props.state}`)} />
    case 'order':
      return <Plain state={props.state} word={t(`words.order.${props.state}`)} />
    case 'retro':
      return <Plain state={props.state} word={t(`words.retro.${props.state}`)} />
    case 'edge':
      return <Plain state={props.state} word={t(`words.edge.${props.state}`)} />
  }
}

function Plain({ state, word }: { readonly state: string; readonly word: string }) {
  return <span className={HEAVY.has(state) ? 'state state-heavy' : 'state'}>{word}</span>
}

function AlarmState({ state, flags }: { readonly state: IsaState; readonly flags: readonly AlarmFlag[] }) {
  const { t } = useTexts()
  const others = flags.filter((flag) => !IMPLIED[state].includes(flag))
  return (
    <span className={`state isa-${state}`}>
      <span aria-hidden="true">{ISA_GLYPHS[state]}</span>
      <b>{state}</b>
      {t(`words.isa.${state}`)}
      {others.map((flag) => (
        <span key={flag} className="state-flag">
          {t(`words.flag.${flag}`)}
        </span>
      ))}
    </span>
  )
}
