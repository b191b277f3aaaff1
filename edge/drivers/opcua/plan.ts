import type { ServerProfile } from './server-profile.ts'

/** A change that is not worth telling: in the node's own unit, or in percent of the range that the node itself names. */
export type Deadband = { readonly absolute: number } | { readonly percent: number }

/** An item to be monitored: which tag by its number, and how often the server shall look at it. */
export interface PlannedItem {
  readonly index: number
  readonly nodeId: string
  readonly everyMs: number
  readonly deadband?: Deadband | undefined
}

/** An item as the server is asked for it. */
export interface ItemRequest {
  /** Number under which the server reports it: the tag's. */
  readonly handle: number
  readonly nodeId: string
  readonly samplingMs: number
  readonly queueSize: number
  readonly deadband: Deadband | undefined
}

/** The items of one publishing interval, cut into the requests that create them. */
export interface PlannedSubscription {
  readonly publishingMs: number
  readonly batches: readonly (readonly ItemRequest[])[]
  /** It reports the server's alarms and conditions as well. */
  readonly hasConditions?: boolean
}

export interface SubscriptionPlan {
  readonly subscriptions: readonly PlannedSubscription[]
  /** Items that the server cannot take any more. */
  readonly beyond: readonly PlannedItem[]
}

/** A slow tag need not wait longer than this for the next notification, in ms. */
const SLOWEST_PUBLISHING_MS = 1000

/** Groups items by publishing interval, gives each a queue and cuts the groups into batches; the fast ones come first. */
export function planItems(
  items: readonly PlannedItem[],
  publishingMs: number,
  { batch, maxItems, hasFilter }: ServerProfile,
): SubscriptionPlan {
  const byInterval = Map.groupBy(items.slice(0, maxItems), (item) => publishingFor(item.everyMs, publishingMs))
  const subscriptions = [...byInterval].map(([interval, group]) => ({
    publishingMs: interval,
    batches: chunks(
      group.map((item) => requestOf(item, interval, hasFilter)),
      batch,
    ),
  }))
  return { subscriptions, beyond: items.slice(maxItems) }
}

/** Twice as often as the server samples, never more often than told, and at least once a second. */
function publishingFor(everyMs: number, publishingMs: number): number {
  return Math.max(publishingMs, Math.min(everyMs / 2, SLOWEST_PUBLISHING_MS))
}

/** A queue holds what one publishing interval can bring, and two more. */
function requestOf({ index, nodeId, everyMs, deadband }: PlannedItem, publishingMs: number, hasFilter: boolean) {
  const queueSize = Math.ceil(publishingMs / everyMs) + 2
  return { handle: index, nodeId, samplingMs: everyMs, queueSize, deadband: hasFilter ? deadband : undefined }
}

/** Cuts a list into pieces of at most `size`. */
export function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}
