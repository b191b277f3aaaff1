import type { WorkOrderTask } from '#shared/contracts/work-order.ts'

/** Names a task's row in the address, so that what is missing leads to where it is done. */
export const taskAnchor = (task: Pick<WorkOrderTask, 'id'>): string => `task-${task.id}`
