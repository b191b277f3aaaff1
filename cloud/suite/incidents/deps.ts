import type { Tx } from '#cloud/platform/database/database.ts'
import type { Assets } from '../assets/index.ts'
import type { Directory } from '../directory/index.ts'
import type { SuiteDeps } from '../kernel/index.ts'
import type { Notifications } from '../notifications/index.ts'
import type { OnCall } from '../on-call/index.ts'

/** What follows from an incident and points to it; answered by the modules that own it. */
export interface IncidentLinks {
  /** Numbers of work orders by incident. */
  workOrderNumbers(tx: Tx, incidentIds: readonly string[]): Promise<ReadonlyMap<string, string[]>>
  /** Work orders of one incident with their ids, for its timeline. */
  workOrderIds(tx: Tx, incidentId: string): Promise<string[]>
  retroId(tx: Tx, incidentId: string): Promise<string | null>
}

/** What incidents are wired with. */
export interface IncidentDeps extends SuiteDeps {
  readonly directory: Directory
  readonly assets: Assets
  readonly onCall: OnCall
  readonly notifications: Notifications
  readonly links: IncidentLinks
}
