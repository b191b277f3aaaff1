import { change, closeWhenDone, type Draft, emit, raise } from './draft.ts'
import { occurrenceId } from './identity.ts'
import { judge, nextBaseAt, shiftBase, type Verdict } from './judge.ts'
import { levelNamed, type RuleLevel } from './rule.ts'
import { type AlarmState, isSuppressed, qualityOf } from './state.ts'

/** True for the alarms about the signal itself, which bad quality does not freeze. */
export const judgesSilence = (kind: string) => kind === 'bad-quality' || kind === 'no-data'

/** True while the quality keeps the condition from being judged (T18). */
export function isFrozen(kind: string, state: AlarmState): boolean {
  const quality = qualityOf(state)
  return quality === 'stale' || (quality === 'bad' && !judgesSilence(kind))
}

/** T3, T10, T21: the alarm goes active. `beganAt` is the source time of the sample that began it. */
export function activate(draft: Draft, at: number, beganAt: number, level: RuleLevel): void {
  const { rule, state } = draft
  const suppressed = isSuppressed(state)
  const value = typeof state.value === 'number' ? state.value : null
  const occurrence = state.occurrence ?? {
    id: occurrenceId(rule.path, rule.version, beganAt),
    openedAt: at,
    activatedAt: at,
    count: 0,
    raisedAt: null,
    reAlarms: 0,
    peak: value,
    peakAt: value === null ? null : (state.valueAt ?? at),
    isSuppressed: suppressed,
  }
  change(draft, {
    phase: 'active',
    level: level.name,
    since: at,
    isConfirmed: rule.definition.requiresConfirmation !== true,
    occurrence: { ...occurrence, activatedAt: at, reAlarms: 0, count: occurrence.count + 1 },
  })
  if (!suppressed) raise(draft, at, 0)
  emit(draft, 'activated', at, { isRaised: !suppressed })
}

/** T6: the alarm leaves active; a one-shot shelving ends with it (T12). */
export function deactivate(draft: Draft, at: number): void {
  const { rule, state } = draft
  const latches = rule.definition.latching === true
  change(draft, { phase: 'normal', since: at, latchedSince: latches ? (state.latchedSince ?? at) : state.latchedSince })
  emit(draft, 'returned', at)
  change(draft, { level: null })
  if (state.shelving?.kind === 'one-shot') {
    change(draft, { shelving: null })
    emit(draft, 'unshelved', at, { reason: 'one-shot-ended' })
  }
  closeWhenDone(draft, at)
}

/** T7: another level is in force. A greater urgency, or the other side, needs a new acknowledgement. */
function changeLevel(draft: Draft, at: number, level: RuleLevel): void {
  const before = levelNamed(draft.rule, draft.state.level)
  const isGraver = before === undefined || level.urgency < before.urgency || level.side !== before.side
  const isRaised = isGraver && !isSuppressed(draft.state)
  change(draft, { level: level.name })
  if (isRaised) raise(draft, at, 0)
  emit(draft, 'level-changed', at, { isRaised })
}

function notePeak(draft: Draft, level: RuleLevel): void {
  const { occurrence, value, valueAt } = draft.state
  if (!occurrence || typeof value !== 'number' || draft.rule.condition.kind !== 'limit') return
  if (occurrence.peak !== null && (value - occurrence.peak) * level.side <= 0) return
  change(draft, { occurrence: { ...occurrence, peak: value, peakAt: valueAt } })
}

function stayActive(draft: Draft, at: number, level: RuleLevel): void {
  const { phase, occurrence } = draft.state
  if (phase === 'pending-off') change(draft, { phase: 'active', since: occurrence?.activatedAt ?? at })
  if (level.name !== draft.state.level) changeLevel(draft, at, level)
  notePeak(draft, level)
}

function fromPendingOn(draft: Draft, at: number, verdict: RuleLevel | null): void {
  const { state } = draft
  if (!verdict) {
    change(draft, { phase: 'normal', level: null, since: at, fleetingBlocked: state.fleetingBlocked + 1 })
    return
  }
  if (state.since === null || verdict.name !== state.level) {
    change(draft, { level: verdict.name, since: state.since ?? at })
  }
}

function fromNormal(draft: Draft, at: number, verdict: RuleLevel | null): void {
  if (!verdict) return
  if (draft.rule.onDelayMs === 0) activate(draft, at, at, verdict)
  else change(draft, { phase: 'pending-on', level: verdict.name, since: at })
}

function fromActive(draft: Draft, at: number, verdict: RuleLevel | null): void {
  if (verdict) stayActive(draft, at, verdict)
  else if (draft.rule.offDelayMs === 0) deactivate(draft, at)
  else change(draft, { phase: 'pending-off', since: at })
}

function fromPendingOff(draft: Draft, at: number, verdict: RuleLevel | null): void {
  if (verdict) stayActive(draft, at, verdict)
  else if (draft.state.since === null) change(draft, { since: at })
}

const FROM = { normal: fromNormal, 'pending-on': fromPendingOn, active: fromActive, 'pending-off': fromPendingOff }

/** Moves the condition region by what the condition demands at `at` (T1–T7, T23). */
export function settle(draft: Draft, at: number, verdict: Verdict): void {
  if (verdict !== undefined) FROM[draft.state.phase](draft, at, verdict)
}

/** When the running delay ends; null when none runs. */
export function delayEndsAt({ rule, state }: Pick<Draft, 'rule' | 'state'>): number | null {
  if (state.since === null) return null
  if (state.phase === 'pending-on') return state.since + rule.onDelayMs
  if (state.phase === 'pending-off') return state.since + rule.offDelayMs
  return null
}

function endDelay(draft: Draft, at: number): void {
  const { rule, state } = draft
  if (state.phase === 'pending-off') {
    deactivate(draft, at)
    return
  }
  const level = levelNamed(rule, state.level) ?? rule.levels[0]
  if (level) activate(draft, at, state.since ?? at, level)
}

function moveWindow(draft: Draft, at: number): void {
  const { rule, state } = draft
  if (!state.rate) return
  change(draft, { rate: shiftBase(state.rate) })
  const held = state.phase === 'active' || state.phase === 'pending-off' ? rule.levels[0] : undefined
  settle(draft, at, judge(rule, draft.state, held))
}

/** The window of a rate of change in ms; 0 for other conditions. */
export const windowMs = ({ rule }: Pick<Draft, 'rule'>) =>
  rule.condition.kind === 'rate-of-change' ? Math.round(rule.condition.windowSeconds * 1000) : 0

/** Lets every delay and window that is due by `at` act at its own moment, whatever comes in between. */
export function advance(draft: Draft, at: number): void {
  if (isFrozen(draft.rule.condition.kind, draft.state)) return
  for (;;) {
    const delay = delayEndsAt(draft) ?? Number.POSITIVE_INFINITY
    const base = nextBaseAt(draft.state.rate, windowMs(draft)) ?? Number.POSITIVE_INFINITY
    const next = Math.min(delay, base)
    if (next > at) return
    if (delay <= base) endDelay(draft, next)
    else moveWindow(draft, next)
  }
}
