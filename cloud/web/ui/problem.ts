import type { TFunction } from 'i18next'
import { ApiError } from '../api/http.ts'

/** The stable code of a fault; faults of our own making have none. */
export const codeOf = (error: unknown): string => (error instanceof ApiError ? error.problem.code : 'console.fault')

/** What went wrong and what to do, in the reader's language where the code is known. */
export function problemText(t: TFunction, error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error)
  const { status, detail, title, code } = error.problem
  if (status === 0) return t('error.unreachable')
  if (code in REFUSALS) return t(REFUSALS[code as keyof typeof REFUSALS])
  if (status === 412) return t('error.conflict')
  if (status === 404) return t('error.notFound')
  return detail ?? title
}

/** Refusals that the console words itself. */
const REFUSALS = {
  'work-order.wrong-state': 'refusal.wrongState',
  'work-order.reason-required': 'refusal.reason',
  'work-order.assignee-required': 'refusal.assignee',
  'work-order.tasks-open': 'refusal.tasksOpen',
  'work-order.failure-report-required': 'refusal.failureReport',
  'retro.wrong-state': 'refusal.wrongState',
  'retro.reason-required': 'refusal.reason',
  'retro.incomplete': 'refusal.retroIncomplete',
  'incident.wrong-state': 'refusal.wrongState',
  'policy.denied': 'refusal.notAllowed',
} as const
