import type { Selectable, Updateable } from 'kysely'
import { asJson, type Tx } from '#cloud/platform/database/database.ts'
import type { JsonColumn } from '#cloud/platform/database/tables.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import type { FailureReport, WorkOrderState } from '#shared/contracts/work-order.ts'

import { NOBODY } from '../kernel/index.ts'

interface WorkOrdersTable {
  id: string
  org_id: string
  kind: 'corrective' | 'preventive' | 'inspection'
  priority: string
  asset_id: string
  incident_id: string | null
  assignee_id: string | null
  dispatch_key: string | null
  hold_reason: string | null
  due_at: Date | null
  accepted_at: Date | null
  arrived_at: Date | null
  started_at: Date | null
  done_at: Date | null
  verified_at: Date | null
  closed_at: Date | null
  failure: JsonColumn<FailureReport | null>
}

interface TasksTable {
  id: string
  org_id: string
  work_order_id: string
  position: number
  text: JsonColumn<LocalizedText>
  kind: 'check' | 'number' | 'text'
  unit: string | null
  minimum: number | null
  maximum: number | null
  result: JsonColumn<boolean | number | string | null>
  done_by: string | null
  done_at: Date | null
}

interface LabourTable {
  id: string
  org_id: string
  work_order_id: string
  person_id: string | null
  from_at: Date
  to_at: Date | null
}

type Tables = { work_orders: WorkOrdersTable; work_order_tasks: TasksTable; work_order_labour: LabourTable }

export type OrderRow = Selectable<WorkOrdersTable>
export type TaskRow = Selectable<TasksTable>
export type LabourRow = Selectable<LabourTable>
export type OrderChange = Updateable<WorkOrdersTable>

export interface OrderFilter {
  readonly incidentId?: string
  readonly assigneeId?: string
  readonly assetIds?: readonly string[]
  readonly isEnded?: boolean
  readonly beforeId?: string
  readonly limit: number
}

/** All SQL of work orders, in the caller's transaction. */
export const orderStore = (tx: Tx) => ({ ...orderQueries(tx), ...partQueries(tx) })

const withRecord = (tx: Tx) =>
  tx
    .withTables<Tables>()
    .selectFrom('work_orders')
    .innerJoin('records', 'records.id', 'work_orders.id')
    .selectAll('work_orders')
    .select(['records.number', 'records.title', 'records.revision', 'records.cause_id', 'records.created_at'])
    .select((eb) => eb.ref('records.state').$castTo<WorkOrderState>().as('state'))

export type FullOrderRow = Awaited<ReturnType<ReturnType<typeof withRecord>['execute']>>[number]

function filtered(tx: Tx, { incidentId, assigneeId, assetIds, isEnded, beforeId }: OrderFilter) {
  const ended = ['closed', 'cancelled']
  return withRecord(tx)
    .$if(incidentId !== undefined, (q) => q.where('work_orders.incident_id', '=', incidentId ?? ''))
    .$if(assigneeId !== undefined, (q) => q.where('work_orders.assignee_id', '=', assigneeId ?? ''))
    .$if(assetIds !== undefined, (q) => q.where('work_orders.asset_id', 'in', [...(assetIds ?? []), NOBODY]))
    .$if(isEnded !== undefined, (q) => q.where('records.state', isEnded ? 'in' : 'not in', ended))
    .$if(beforeId !== undefined, (q) => q.where('work_orders.id', '<', beforeId ?? ''))
}

function orderQueries(tx: Tx) {
  const db = tx.withTables<Tables>()
  return {
    find: (id: string) => withRecord(tx).where('work_orders.id', '=', id).executeTakeFirst(),
    /** Newest first. */
    list: (filter: OrderFilter) => filtered(tx, filter).orderBy('work_orders.id', 'desc').limit(filter.limit).execute(),
    ofIncidents: (ids: readonly string[]) =>
      withRecord(tx)
        .where('work_orders.incident_id', 'in', [...ids, NOBODY])
        .orderBy('work_orders.id')
        .execute(),
    byDispatch: (key: string) =>
      db.selectFrom('work_orders').select('id').where('dispatch_key', '=', key).executeTakeFirst(),
    add: (row: OrderRow) => {
      const failure = row.failure === null ? null : asJson(row.failure)
      return db
        .insertInto('work_orders')
        .values({ ...row, failure })
        .execute()
    },
    set: ({ failure, ...change }: OrderChange, id: string) =>
      db
        .updateTable('work_orders')
        .set({ ...change, ...(failure ? { failure: asJson(failure) } : {}) })
        .where('id', '=', id)
        .execute(),
  }
}

function partQueries(tx: Tx) {
  const db = tx.withTables<Tables>()
  return {
    tasks: (orderIds: readonly string[]) =>
      db
        .selectFrom('work_order_tasks')
        .selectAll()
        .where('work_order_id', 'in', [...orderIds, NOBODY])
        .orderBy('position')
        .execute(),
    addTask: (row: TaskRow) =>
      db
        .insertInto('work_order_tasks')
        .values({ ...row, text: asJson(row.text), result: null })
        .execute(),
    setTask: (id: string, { result, done_by, done_at }: Pick<TaskRow, 'result' | 'done_by' | 'done_at'>) =>
      db
        .updateTable('work_order_tasks')
        .set({ result: result === null ? null : asJson(result), done_by, done_at })
        .where('id', '=', id)
        .execute(),
    labour: (orderIds: readonly string[]) =>
      db
        .selectFrom('work_order_labour')
        .selectAll()
        .where('work_order_id', 'in', [...orderIds, NOBODY])
        .orderBy('from_at')
        .execute(),
    startLabour: (row: LabourRow) => db.insertInto('work_order_labour').values(row).execute(),
    stopLabour: (orderId: string, at: Date) =>
      db
        .updateTable('work_order_labour')
        .set({ to_at: at })
        .where('work_order_id', '=', orderId)
        .where('to_at', 'is', null)
        .execute(),
  }
}
