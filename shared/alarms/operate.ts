import type { AlarmActionKind, AlarmRefusal } from '#shared/contracts/alarm-command.ts'
import { type ChangeFacts, change, closeWhenDone, type Draft, emit, raise } from './draft.ts'
import { SHELVE_MAXIMUM_MS } from './rule.ts'
import { type AlarmState, isActive, isSuppressed, type Shelving } from './state.ts'

/** An operator's action as the engine takes it; see AlarmCommand. `at` in ms since 1970. */
export interface OperatorInput {
  readonly kind: AlarmActionKind
  readonly at: number
  readonly by: string
  readonly id?: string | undefined
  readonly occurrenceId?: string | undefined
  readonly comment?: string | undefined
  readonly until?: number | undefined
  readonly reference?: string | undefined
}

const factsOf = (input: OperatorInput): ChangeFacts => ({
  by: input.by,
  ...(input.id ? { actionId: input.id } : {}),
  ...(input.comment ? { comment: input.comment } : {}),
  ...(input.reference ? { reference: input.reference } : {}),
})

/** T13, T22: what a lifted suppression does to an alarm that is still active. Tells whether it raised. */
export function raiseWhenLifted(draft: Draft, before: AlarmState, at: number): boolean {
  const lifted = isSuppressed(before) && !isSuppressed(draft.state) && isActive(draft.state)
  if (lifted) raise(draft, at, 0)
  return lifted
}

function acknowledge(draft: Draft, input: OperatorInput): AlarmRefusal | undefined {
  if (draft.state.isAcked) return 'alarm.not-unacknowledged'
  change(draft, { isAcked: true, ackedAt: input.at, ackedBy: input.by })
  emit(draft, 'acknowledged', input.at, factsOf(input))
  closeWhenDone(draft, input.at)
  return undefined
}

function confirm(draft: Draft, input: OperatorInput): AlarmRefusal | undefined {
  if (draft.state.isConfirmed) return 'alarm.not-unconfirmed'
  if (isActive(draft.state)) return 'alarm.not-returned'
  change(draft, { isConfirmed: true })
  emit(draft, 'confirmed', input.at, factsOf(input))
  closeWhenDone(draft, input.at)
  return undefined
}

function reset(draft: Draft, input: OperatorInput): AlarmRefusal | undefined {
  const { state } = draft
  if (state.latchedSince === null) return 'alarm.not-latched'
  if (state.phase !== 'normal') return 'alarm.still-active'
  if (!state.isAcked) return 'alarm.still-unacknowledged'
  change(draft, { latchedSince: null })
  emit(draft, 'reset', input.at, factsOf(input))
  closeWhenDone(draft, input.at)
  return undefined
}

function shelve(draft: Draft, input: OperatorInput, kind: Shelving['kind']): AlarmRefusal | undefined {
  const { at, by, until, comment } = input
  if (draft.rule.isHighlyManaged) return 'alarm.highly-managed'
  if (until === undefined || until <= at) return 'alarm.until-required'
  if (until > at + SHELVE_MAXIMUM_MS) return 'alarm.until-too-late'
  if (!comment) return 'alarm.reason-required'
  change(draft, { shelving: { kind, until, by, reason: comment, since: at } })
  emit(draft, 'shelved', at, { ...factsOf(input), until })
  return undefined
}

function unshelve(draft: Draft, input: OperatorInput): AlarmRefusal | undefined {
  if (!draft.state.shelving) return 'alarm.not-shelved'
  endShelving(draft, input.at, factsOf(input))
  return undefined
}

/** T13: the shelving ends, by hand or by itself. */
export function endShelving(draft: Draft, at: number, facts: ChangeFacts): void {
  const before = draft.state
  change(draft, { shelving: null })
  const isRaised = raiseWhenLifted(draft, before, at)
  emit(draft, 'unshelved', at, { ...facts, isRaised })
}

function suppress(draft: Draft, input: OperatorInput): AlarmRefusal | undefined {
  const { reference } = input
  if (!reference) return 'alarm.reference-required'
  if (draft.rule.definition.namesCause) return 'alarm.names-the-cause'
  if (draft.state.byDesign.includes(reference)) return undefined
  change(draft, { byDesign: [...draft.state.byDesign, reference].sort() })
  emit(draft, 'suppressed', input.at, factsOf(input))
  return undefined
}

function unsuppress(draft: Draft, input: OperatorInput): AlarmRefusal | undefined {
  const before = draft.state
  const left = before.byDesign.filter((rule) => rule !== input.reference)
  if (left.length === before.byDesign.length) return 'alarm.not-suppressed'
  change(draft, { byDesign: left })
  const isRaised = raiseWhenLifted(draft, before, input.at)
  emit(draft, 'unsuppressed', input.at, { ...factsOf(input), isRaised })
  return undefined
}

function takeOutOfService(draft: Draft, input: OperatorInput): AlarmRefusal | undefined {
  if (!input.reference) return 'alarm.reference-required'
  change(draft, { outOfService: { workOrderId: input.reference, by: input.by, since: input.at } })
  emit(draft, 'out-of-service', input.at, factsOf(input))
  return undefined
}

function returnToService(draft: Draft, input: OperatorInput): AlarmRefusal | undefined {
  const before = draft.state
  if (!before.outOfService) return 'alarm.not-out-of-service'
  change(draft, { outOfService: null })
  const isRaised = raiseWhenLifted(draft, before, input.at)
  emit(draft, 'returned-to-service', input.at, { ...factsOf(input), isRaised })
  return undefined
}

const seesAnother = ({ state }: Draft, { occurrenceId }: OperatorInput) =>
  occurrenceId !== undefined && state.occurrence?.id !== occurrenceId

/** Applies an operator's action to the draft; answers why not when it does not fit. No action touches the condition. */
export function operate(draft: Draft, input: OperatorInput): AlarmRefusal | undefined {
  if (seesAnother(draft, input)) return 'alarm.other-occurrence'
  switch (input.kind) {
    case 'acknowledge':
      return acknowledge(draft, input)
    case 'confirm':
      return confirm(draft, input)
    case 'reset':
      return reset(draft, input)
    case 'shelve':
      return shelve(draft, input, 'timed')
    case 'shelve-one-shot':
      return shelve(draft, input, 'one-shot')
    case 'unshelve':
      return unshelve(draft, input)
    case 'suppress':
      return suppress(draft, input)
    case 'unsuppress':
      return unsuppress(draft, input)
    case 'out-of-service':
      return takeOutOfService(draft, input)
    case 'return-to-service':
      return returnToService(draft, input)
  }
}
