import type { WorkOrder } from '#shared/contracts/work-order.ts'

export interface Buckets {
  readonly now: readonly WorkOrder[]
  readonly next: readonly WorkOrder[]
  readonly later: readonly WorkOrder[]
}

const RUNNING: readonly string[] = ['accepted', 'arrived', 'in_progress']
/** Work that is due within a day is next; the rest is for later. */
const SOON_MS = 86_400_000

const PRIORITY = ['critical', 'high', 'medium', 'low']
const byDue = (a: WorkOrder, b: WorkOrder) =>
  PRIORITY.indexOf(a.priority) - PRIORITY.indexOf(b.priority) ||
  (a.dueAt ?? '9').localeCompare(b.dueAt ?? '9') ||
  a.createdAt.localeCompare(b.createdAt)

/** Whether the order is this person's next act: it runs, is overdue, or comes from an incident and waits. */
function isNow(order: WorkOrder, dueMs: number, nowMs: number): boolean {
  if (RUNNING.includes(order.state) || dueMs < nowMs) return true
  return order.state === 'assigned' && order.incident !== null
}

/** Finished work waits for who may verify or close it; for who did it, nothing is left. */
const hasNextAct = (order: WorkOrder): boolean => order.actions.some((offer) => offer.isPrimary)

function bucketOf(order: WorkOrder, nowMs: number): keyof Buckets {
  if (order.doneAt !== null) return hasNextAct(order) ? 'next' : 'later'
  const dueMs = order.dueAt ? Date.parse(order.dueAt) : Number.POSITIVE_INFINITY
  if (isNow(order, dueMs, nowMs)) return 'now'
  return dueMs < nowMs + SOON_MS ? 'next' : 'later'
}

/** Now is what runs, is overdue, or comes from an incident and waits; next is due within a day or finished and the viewer's to decide; later is the rest. */
export function bucketsOf(orders: readonly WorkOrder[], nowMs: number): Buckets {
  const grouped = Object.groupBy(orders.toSorted(byDue), (order) => bucketOf(order, nowMs))
  return { now: grouped.now ?? [], next: grouped.next ?? [], later: grouped.later ?? [] }
}
