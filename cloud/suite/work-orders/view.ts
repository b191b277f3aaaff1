import type { Tx } from '#cloud/platform/database/database.ts'
import type { Actor } from '#cloud/platform/door/actor.ts'
import type { WorkOrder, WorkOrderState } from '#shared/contracts/work-order.ts'
import type { Assets, AssetTree } from '../assets/index.ts'
import { chip, type Directory, type PersonRefs } from '../directory/index.ts'
import { instant, offersFor, recordRows, type SuiteDeps } from '../kernel/index.ts'
import { orderResource } from './commands.ts'
import { isDecision } from './rules.ts'
import { labourSeconds, nextStates, refusal } from './state.ts'
import { type FullOrderRow, type LabourRow, orderStore, type TaskRow } from './store.ts'

export interface OrderViewDeps extends SuiteDeps {
  readonly assets: Assets
  readonly directory: Directory
}

interface Surroundings {
  readonly tree: AssetTree
  readonly people: PersonRefs
  readonly numbers: ReadonlyMap<string, string | null>
  readonly tasks: readonly TaskRow[]
  readonly labour: readonly LabourRow[]
  readonly now: Date
}

/** Work orders as the wire has them, in the order given, with what this viewer may do. */
export async function ordersView(
  deps: OrderViewDeps,
  tx: Tx,
  actor: Actor,
  rows: readonly FullOrderRow[],
): Promise<WorkOrder[]> {
  const ids = rows.map((row) => row.id)
  const store = orderStore(tx)
  const tasks = await store.tasks(ids)
  const incidents = await recordRows(
    tx,
    rows.flatMap((row) => row.incident_id ?? []),
  )
  const around: Surroundings = {
    tree: await deps.assets.tree(tx),
    people: await deps.directory.refs(tx, [...rows.map((r) => r.assignee_id), ...tasks.map((t) => t.done_by)]),
    numbers: new Map(incidents.map((record) => [record.id, record.number])),
    tasks,
    labour: await store.labour(ids),
    now: new Date(deps.clock()),
  }
  return rows.map((row) => ({ ...orderView(row, around), actions: offersOf(deps, actor, row, around) }))
}

function orderView(row: FullOrderRow, around: Surroundings): Omit<WorkOrder, 'actions'> {
  const { tree, people, numbers, now } = around
  const incident = row.incident_id
  const labour = around.labour.filter((l) => l.work_order_id === row.id).map((l) => ({ from: l.from_at, to: l.to_at }))
  return {
    id: row.id,
    number: row.number ?? '',
    title: row.title,
    kind: row.kind,
    priority: row.priority as WorkOrder['priority'],
    state: row.state,
    holdReason: row.hold_reason,
    asset: tree.ref(row.asset_id),
    assetPath: tree.path(row.asset_id),
    incident: incident ? { id: incident, number: numbers.get(incident) ?? '' } : null,
    assignee: chip(people, row.assignee_id),
    createdAt: row.created_at.toISOString(),
    dueAt: instant(row.due_at),
    acceptedAt: instant(row.accepted_at),
    arrivedAt: instant(row.arrived_at),
    startedAt: instant(row.started_at),
    doneAt: instant(row.done_at),
    verifiedAt: instant(row.verified_at),
    closedAt: instant(row.closed_at),
    tasks: around.tasks.filter((t) => t.work_order_id === row.id).map((t) => taskView(t, people)),
    failure: row.failure,
    labourSeconds: labourSeconds(labour, now),
    revision: row.revision,
  }
}

function taskView(task: TaskRow, people: PersonRefs): WorkOrder['tasks'][number] {
  const { id, position, text, kind, unit, minimum, maximum, result } = task
  const doneBy = chip(people, task.done_by)
  return { id, position, text, kind, unit, minimum, maximum, result, doneBy, doneAt: instant(task.done_at) }
}

/** The next step first; what only lacks something (a report, a task) is shown with the reason. */
function offersOf({ door }: OrderViewDeps, actor: Actor, row: FullOrderRow, around: Surroundings) {
  const openTaskCount = around.tasks.filter((t) => t.work_order_id === row.id && t.done_at === null).length
  const facts = { state: row.state, kind: row.kind, assigneeId: row.assignee_id, openTaskCount }
  const acts = byUse(nextStates(row.state)).map((to) => ({
    action: to,
    ask: isDecision(row.state, to) ? 'work-order.decide' : 'work-order.work',
    // Reason, assignee and failure report are asked for in the step itself.
    isAside: LAST.includes(to),
    refusal: refusal({ ...facts, hasFailureReport: true }, { to, reason: 'asked', assigneeId: 'asked' }),
  }))
  return offersFor(door, actor, orderResource(row), acts)
}

const LAST: readonly WorkOrderState[] = ['on_hold', 'rejected', 'cancelled']

/** Forward steps before holds and refusals. */
function byUse(states: readonly WorkOrderState[]): WorkOrderState[] {
  return [...states].sort((a, b) => Number(LAST.includes(a)) - Number(LAST.includes(b)))
}
