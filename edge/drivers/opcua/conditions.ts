import type { ConditionReport } from '../driver.ts'
import type { Session } from './connection.ts'
import {
  AttributeIds,
  acknowledgeCondition,
  callConditionRefresh,
  constructEventFilter,
  ofType,
  resolveNodeId,
  TimestampsToReturn,
} from './library.ts'

/** The number of the item that reports events; tags have the low numbers. */
export const EVENT_HANDLE = 0xffff_fff0
/** Events between two messages that a server keeps. */
const EVENT_QUEUE = 1000

const FIELDS = [
  'ConditionId',
  'EventId',
  'SourceName',
  'ConditionName',
  'Message',
  'Severity',
  'Time',
  'Retain',
  'ActiveState.Id',
  'AckedState.Id',
  'BranchId',
  'Comment',
]

/** A field of an event, as the library's Variant has it. */
export interface EventField {
  readonly value?: unknown
}

/** Alarms and conditions of a server, Part 9. */
export function conditionServices(session: Session) {
  return {
    /** Reports every condition of the server from now on, first those that stand; resolves with why the server refuses. */
    async watchConditions(subscriptionId: number): Promise<string | undefined> {
      const { results } = await session.createMonitoredItems({
        subscriptionId,
        timestampsToReturn: TimestampsToReturn.Neither,
        itemsToCreate: [
          {
            itemToMonitor: { nodeId: 'i=2253', attributeId: AttributeIds.EventNotifier },
            monitoringMode: 2,
            requestedParameters: {
              ...{ clientHandle: EVENT_HANDLE, samplingInterval: 0, queueSize: EVENT_QUEUE, discardOldest: true },
              filter: constructEventFilter(FIELDS, ofType(resolveNodeId('ConditionType'))),
            },
          },
        ],
      })
      const status = results?.[0]?.statusCode
      if (!status?.isGood()) return status?.name ?? 'no status'
      const refreshed = await callConditionRefresh(session, subscriptionId)
      return refreshed.isGood() ? undefined : refreshed.name
    },
    /** Acknowledges what a condition reported in an event; resolves with why the server refuses. */
    async acknowledge(condition: string, eventId: Uint8Array, comment: string): Promise<string | undefined> {
      const status = await acknowledgeCondition(session, condition, Buffer.from(eventId), comment)
      return status.isGood() ? undefined : status.name
    },
  }
}

/** A condition as an event tells it; undefined for events that are none, as those around a refresh, and for branches of the past. */
export function conditionOf(fields: readonly EventField[]): ConditionReport | undefined {
  const [id, eventId, source, name, message, severity, time, retain, active, acked, branch, comment] = fields.map(
    ({ value }) => value,
  )
  const condition = id ? String(id) : ''
  if (condition === '' || !(time instanceof Date) || !isNullNode(branch)) return undefined
  return {
    ...{ condition, eventId: Buffer.from(eventId as Uint8Array), source: textOf(source), name: textOf(name) },
    ...{ message: textOf(message), comment: textOf(comment), severity: Number(severity ?? 0), at: time.getTime() },
    ...{ isRetained: retain === true, isActive: active === true, isAcknowledged: acked !== false },
  }
}

const isNullNode = (node: unknown) => !node || /^(ns=0;)?i=0$/.test(String(node))

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return (value as { text?: string | null } | null | undefined)?.text ?? ''
}
