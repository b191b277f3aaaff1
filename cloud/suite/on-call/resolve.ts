import type { Tx } from '#cloud/platform/database/database.ts'
import type { Directory } from '../directory/index.ts'
import { loadPlans } from './plans.ts'
import { dutyAt } from './rotation.ts'

/** Whom to call for one trade, and what follows when nobody accepts. */
export interface Called {
  readonly trade: string
  readonly scheduleId: string | null
  /** People to call first. */
  readonly people: readonly string[]
  /** True when nobody was on duty and the fallback role is called instead. */
  readonly isFallback: boolean
  readonly backup: string | null
  readonly fallbackRole: string
  readonly escalateAfterMinutes: number
}

const DEFAULT_ESCALATION_MINUTES = 5

/** Finds who is on duty for the trade; nobody leads to the fallback role, never to silence. */
export async function findDuty(
  tx: Tx,
  directory: Directory,
  { trade, at, lastResort }: { trade: string; at: Date; lastResort: string },
): Promise<Called> {
  const plan = (await loadPlans(tx, at)).find((p) => p.schedule.trade === trade)
  const duty = plan && dutyAt(plan, at)
  const fallbackRole = plan?.schedule.fallback_role ?? lastResort
  const primary = duty?.primary?.person
  const people = primary ? [primary] : (await directory.withRole(tx, fallbackRole)).map((p) => p.id)
  return {
    trade,
    scheduleId: plan?.schedule.id ?? null,
    people,
    isFallback: primary === undefined,
    backup: duty?.backup?.person ?? null,
    fallbackRole,
    escalateAfterMinutes: plan?.schedule.escalate_after_minutes ?? DEFAULT_ESCALATION_MINUTES,
  }
}
