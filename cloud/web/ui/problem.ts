import type { TFunction } from 'i18next'
import { ApiError } from '../api/http.ts'

/** The stable code of a fault; faults of our own making have none. */
export const codeOf = (error: unknown): string => (error instanceof ApiError ? error.problem.code : 'console.fault')

/** What went wrong and what to do, in the reader's language where the code is known. */
export function problemText(t: TFunction, error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error)
  const { status, detail, title, code } = error.problem
  if (status === 0) return t('error.unreachable')
  if (isKnown(code)) return t(REFUSALS[code])
  if (status === 412) return t('error.conflict')
  if (status === 404) return t('error.notFound')
  return detail ?? title
}

/** Why an offered action cannot be taken now, worded from its stable code. */
export const reasonText = (t: TFunction, reason: string | null): string | null =>
  reason !== null && isKnown(reason) ? t(REFUSALS[reason]) : reason

const isKnown = (code: string): code is keyof typeof REFUSALS => code in REFUSALS

/** Refusals that the console words itself, by their stable codes. */
const REFUSALS = {
  'work-order.wrong-state': 'refusal.wrongState',
  'work-order.reason-required': 'refusal.reason',
  'work-order.assignee-required': 'refusal.assignee',
  'work-order.tasks-open': 'refusal.tasksOpen',
  'work-order.failure-report-required': 'refusal.failureReport',
  'task.out-of-limits': 'refusal.outOfLimits',
  'task.number-expected': 'refusal.resultForm',
  'task.text-expected': 'refusal.resultForm',
  'task.check-expected': 'refusal.resultForm',
  'retro.wrong-state': 'refusal.wrongState',
  'retro.reason-required': 'refusal.reason',
  'retro.own-approval': 'refusal.ownRetro',
  'retro.incomplete': 'refusal.retroIncomplete',
  'incident.wrong-state': 'refusal.wrongState',
  'incident.reason-required': 'refusal.reason',
  'incident.not-accepted': 'refusal.notAccepted',
  'inbox.answer-required': 'refusal.answerRequired',
  'alarm.not-unacknowledged': 'refusal.notUnacknowledged',
  'alarm.not-returned': 'refusal.notReturned',
  'alarm.still-active': 'refusal.notReturned',
  'alarm.still-unacknowledged': 'refusal.stillUnacknowledged',
  'alarm.not-latched': 'refusal.notLatched',
  'alarm.highly-managed': 'refusal.highlyManaged',
  'alarm.until-too-late': 'refusal.tooLong',
  'alarm.reason-required': 'refusal.reason',
  'alarm.not-shelved': 'refusal.notShelved',
  'edge.group-taken': 'refusal.groupTaken',
  'edge.offline': 'refusal.edgeOffline',
  'edge.tells-nothing': 'refusal.edgeTellsNothing',
  'ca.elsewhere': 'refusal.caElsewhere',
  'configuration.drift': 'refusal.drift',
  'configuration.not-checked': 'refusal.notChecked',
  'export.too-many': 'refusal.exportTooMany',
  'export.fetched': 'refusal.exportFetched',
  'export.no-space': 'refusal.exportNoSpace',
  'export.failed': 'refusal.exportFailed',
  'history.timeout': 'refusal.historyTimeout',
  'history.busy': 'refusal.historyBusy',
  'pipeline.away': 'refusal.machineSideAway',
  'pipeline.timeout': 'refusal.machineSideSlow',
  'policy.denied': 'refusal.notAllowed',
  'session.locked': 'refusal.tooMany',
} as const
