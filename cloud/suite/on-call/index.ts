import type { Tx } from '#cloud/platform/database/database.ts'
import type { Module } from '#cloud/platform/module.ts'
import type { Directory } from '../directory/index.ts'
import { STAFF, type SuiteDeps } from '../kernel/index.ts'
import { loadPlans } from './plans.ts'
import { type Called, findDuty } from './resolve.ts'
import { dutyAt } from './rotation.ts'
import { onCallRoutes } from './routes.ts'

export { importSchedules } from './import.ts'
export type { Called } from './resolve.ts'

/** Who answers for which trade. */
export interface OnCall {
  readonly module: Module
  /** Whom to call for a trade at a moment; when nobody is on duty, everyone of the fallback role. Never empty while anyone holds it. */
  resolve(tx: Tx, trade: string, at: Date): Promise<Called>
  /** Everyone on duty at a moment, primary of any schedule. */
  onDuty(tx: Tx, at: Date): Promise<ReadonlySet<string>>
}

/** Role that is called when a trade has no schedule at all. */
export const LAST_RESORT = 'lead'

/** Wires duty. */
export function createOnCall(deps: SuiteDeps, directory: Directory): OnCall {
  return {
    resolve: (tx, trade, at) => findDuty(tx, directory, { trade, at, lastResort: LAST_RESORT }),
    async onDuty(tx, at) {
      const plans = await loadPlans(tx, at)
      return new Set(plans.flatMap((plan) => dutyAt(plan, at).primary?.person ?? []))
    },
    module: {
      name: 'on-call',
      routes: (app) => onCallRoutes(app, { ...deps, directory }),
      rules: [{ name: 'staff-see-duty', roles: STAFF, actions: ['schedule.view'] }],
    },
  }
}
