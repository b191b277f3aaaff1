import { type Static, Type } from 'typebox'
import { AssetRef } from './asset.ts'
import { Id, Instant, nullable } from './http.ts'
import { ActionOffer } from './incident.ts'
import { PersonRef } from './person.ts'
import { Priority } from './priority.ts'
import { LocalizedText } from './text.ts'

export const WORK_ORDER_STATES = [
  'draft',
  'requested',
  'approved',
  'assigned',
  'accepted',
  'arrived',
  'in_progress',
  'on_hold',
  'done',
  'verified',
  'closed',
  'cancelled',
  'rejected',
] as const
export const WorkOrderState = Type.Enum(WORK_ORDER_STATES)
export type WorkOrderState = (typeof WORK_ORDER_STATES)[number]

/** Mandatory before a corrective order is done. */
export const FailureReport = Type.Object(
  {
    mode: Type.String({ minLength: 1, maxLength: 200 }),
    cause: Type.String({ minLength: 1, maxLength: 200 }),
    remedy: Type.String({ minLength: 1, maxLength: 200 }),
    note: Type.Optional(Type.String({ maxLength: 2000 })),
  },
  { additionalProperties: false },
)
export type FailureReport = Static<typeof FailureReport>

export const WorkOrderTask = Type.Object({
  id: Id,
  position: Type.Integer(),
  text: LocalizedText,
  kind: Type.Union([Type.Literal('check'), Type.Literal('number'), Type.Literal('text')]),
  unit: nullable(Type.String()),
  minimum: nullable(Type.Number()),
  maximum: nullable(Type.Number()),
  result: nullable(Type.Union([Type.Boolean(), Type.Number(), Type.String()])),
  doneBy: nullable(PersonRef),
  doneAt: nullable(Instant),
})
export type WorkOrderTask = Static<typeof WorkOrderTask>

export const WorkOrder = Type.Object({
  id: Id,
  number: Type.String(),
  title: LocalizedText,
  kind: Type.Union([Type.Literal('corrective'), Type.Literal('preventive'), Type.Literal('inspection')]),
  priority: Priority,
  state: WorkOrderState,
  holdReason: nullable(Type.String()),
  asset: AssetRef,
  assetPath: Type.Array(AssetRef),
  incident: nullable(Type.Object({ id: Id, number: Type.String() })),
  assignee: nullable(PersonRef),
  createdAt: Instant,
  dueAt: nullable(Instant),
  acceptedAt: nullable(Instant),
  arrivedAt: nullable(Instant),
  startedAt: nullable(Instant),
  doneAt: nullable(Instant),
  verifiedAt: nullable(Instant),
  closedAt: nullable(Instant),
  tasks: Type.Array(WorkOrderTask),
  failure: nullable(FailureReport),
  labourSeconds: Type.Integer(),
  revision: Type.Integer(),
  actions: Type.Array(ActionOffer),
})
export type WorkOrder = Static<typeof WorkOrder>

/** `POST /api/work-orders`: dispatched from an incident, or by hand. */
export const WorkOrderCreate = Type.Object(
  {
    assetId: Id,
    incidentId: Type.Optional(Id),
    title: Type.String({ minLength: 1, maxLength: 200 }),
    priority: Type.Optional(Priority),
    assigneeId: Type.Optional(Id),
  },
  { additionalProperties: false },
)

/** `POST /api/work-orders/:id/transitions` */
export const WorkOrderTransition = Type.Object(
  {
    to: WorkOrderState,
    reason: Type.Optional(Type.String({ maxLength: 1000 })),
    assigneeId: Type.Optional(Id),
    failure: Type.Optional(FailureReport),
  },
  { additionalProperties: false },
)

/** `PATCH /api/work-orders/:id/tasks/:taskId` */
export const TaskResult = Type.Object(
  { result: Type.Union([Type.Boolean(), Type.Number(), Type.String(), Type.Null()]) },
  { additionalProperties: false },
)
