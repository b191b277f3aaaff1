import type { CommandContext } from '#cloud/platform/door/command.ts'
import { newId } from '#cloud/platform/id.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import { join, say } from '../chat/index.ts'
import { type FullIncidentRow, TARGET_SECONDS } from '../incidents/index.ts'
import { tell, tellAssigned } from './events.ts'
import { type FullOrderRow, orderStore } from './store.ts'

export interface NewOrder {
  readonly title: LocalizedText
  readonly priority: string
  readonly assetId: string
  readonly incident?: FullIncidentRow | undefined
  readonly assigneeId: string | null
  /** `accepted` when the assignee has taken the job already by accepting the incident. */
  readonly state: 'requested' | 'assigned' | 'accepted'
  readonly dispatchKey?: string
}

/** What every repair asks for, whatever the machine. */
const TASKS: readonly LocalizedText[] = [
  { en: 'Isolate, lock out and tag out', 'zh-CN': '断能、挂牌上锁' },
  { en: 'Test run after the repair', 'zh-CN': '修复后试运行' },
]

/** Makes a corrective order with its tasks, tells the assignee, and shows its card in the incident's room. Inside a command. */
export async function createOrder(context: CommandContext, order: NewOrder): Promise<FullOrderRow> {
  const { incident } = order
  const cause_id = incident?.cause_id ?? null
  const record = await context.records.create({
    type: 'work-order',
    series: 'WO',
    title: order.title,
    state: order.state,
    ownerId: order.assigneeId,
    causeId: cause_id ?? undefined,
  })
  const row = orderRow(context, record.id, order)
  await orderStore(context.tx).add(row)
  await addTasks(context, record.id)
  const head = { number: record.number, title: order.title, revision: record.revision, state: order.state }
  const full: FullOrderRow = { ...row, ...head, cause_id, created_at: context.at }
  await tell(context, full, 'work-order.created', { assigneeId: order.assigneeId })
  if (order.assigneeId) await tellAssigned(context, full, order.assigneeId)
  if (incident) await showInRoom(context, incident.channel_id, full)
  return full
}

function orderRow(context: CommandContext, id: string, order: NewOrder) {
  const { incident } = order
  const seconds = incident && TARGET_SECONDS[incident.severity as 'S1'].restore
  return {
    id,
    org_id: context.org,
    kind: 'corrective' as const,
    priority: order.priority,
    asset_id: order.assetId,
    incident_id: incident?.id ?? null,
    assignee_id: order.assigneeId,
    dispatch_key: order.dispatchKey ?? null,
    hold_reason: null,
    due_at: incident && seconds ? new Date(incident.started_at.getTime() + seconds * 1000) : null,
    accepted_at: order.state === 'accepted' ? context.at : null,
    arrived_at: null,
    started_at: null,
    done_at: null,
    verified_at: null,
    closed_at: null,
    failure: null,
  }
}

async function addTasks(context: CommandContext, orderId: string): Promise<void> {
  const open = { unit: null, minimum: null, maximum: null, result: null, done_by: null, done_at: null }
  for (const [i, text] of TASKS.entries()) {
    const key = { id: newId(), org_id: context.org, work_order_id: orderId }
    await orderStore(context.tx).addTask({ ...key, position: i + 1, text, kind: 'check', ...open })
  }
}

async function showInRoom(context: CommandContext, channelId: string, order: FullOrderRow): Promise<void> {
  if (order.assignee_id) await join(context, channelId, [order.assignee_id])
  await say(context, channelId, { kind: 'card', recordId: order.id })
}
