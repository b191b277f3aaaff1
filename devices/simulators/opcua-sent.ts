import type { DataValue, OPCUAServer, UAVariable } from 'node-opcua'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import type { Scalar } from '#shared/contracts/sample.ts'

/** A simulated tag behind its variable. */
export interface ServedNode {
  readonly device: string
  readonly tag: ProfileTag
  readonly variable: UAVariable
}

/** A value that a notification carries; `at` is its source time in ms since 1970. */
export interface Sent {
  readonly raw: Scalar
  readonly at: number
}

/** Told of each value that a notification carries to a client for the first time. */
export type OnSent = (device: string, tag: ProfileTag, sent: Sent) => void

/** What the library tells a listener and its types do not say: a subscription's items and notifications. */
interface Subscription {
  on(event: 'monitoredItem', listener: (item: MonitoredItem) => void): void
  on(event: 'notification', listener: (message: { notificationData: readonly unknown[] | null }) => void): void
}
/** True once the client's channel is gone: what the session still makes of waiting publish requests reaches nobody. */
interface Session {
  readonly aborted: boolean
  on(event: 'new_subscription', listener: (subscription: Subscription) => void): void
}
interface MonitoredItem {
  readonly clientHandle: number
  readonly node: unknown
}
interface ItemNotification {
  readonly clientHandle: number
  readonly value: DataValue
}

/**
 * Watches what the server gives away: not what stands in the address space, which no item may have sampled, and not what
 * was sampled, which a full queue may drop, but the values of each notification that answers a publish request.
 */
export function watchNotifications(server: OPCUAServer, nodes: Iterable<ServedNode>, onSent: OnSent): void {
  const byVariable = new Map<unknown, ServedNode>([...nodes].map((node) => [node.variable, node]))
  const newest = new Map<ServedNode, number>()
  const sent = (node: ServedNode, { value, sourceTimestamp }: DataValue) => {
    const at = sourceTimestamp?.getTime() ?? 0
    // A new subscription begins with the standing value: it was given away before.
    if (at <= (newest.get(node) ?? 0)) return
    newest.set(node, at)
    onSent(node.device, node.tag, { raw: rawOf(value?.value), at })
  }
  const watch = (session: Session, subscription: Subscription) => {
    const items = new Map<number, ServedNode>()
    subscription.on('monitoredItem', ({ clientHandle, node }) => {
      const known = byVariable.get(node)
      if (known) items.set(clientHandle, known)
    })
    subscription.on('notification', ({ notificationData }) => {
      for (const { clientHandle, value } of givenBy(session, notificationData)) {
        const node = items.get(clientHandle)
        if (node) sent(node, value)
      }
    })
  }
  server.on('create_session', (made) => {
    const session = made as unknown as Session
    session.on('new_subscription', (subscription) => watch(session, subscription))
  })
}

const givenBy = ({ aborted }: Session, data: readonly unknown[] | null): readonly ItemNotification[] =>
  aborted ? [] : (data ?? []).flatMap(itemsOf)

function itemsOf(notification: unknown): readonly ItemNotification[] {
  const { monitoredItems } = (notification ?? {}) as { monitoredItems?: readonly ItemNotification[] | null }
  return monitoredItems ?? []
}

/** 64-bit integers are two halves in the library, the high one first. */
function rawOf(value: unknown): Scalar {
  if (Array.isArray(value)) return (BigInt(value[0]) << 32n) | BigInt(value[1])
  return value === undefined ? null : (value as Scalar)
}
