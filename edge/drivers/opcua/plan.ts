/** An item to be monitored: which tag, and how often the server shall look at it. */
export interface PlannedItem {
  readonly tag: string
  readonly nodeId: string
  readonly everyMs: number
}

/** Items created in one request; all share their parameters. */
export interface ItemBatch {
  readonly samplingMs: number
  readonly queueSize: number
  readonly items: readonly PlannedItem[]
}

/** Groups items by sampling interval and cuts the groups into batches. A queue holds what one publishing interval can bring, and two more. */
export function planItems(items: readonly PlannedItem[], publishingMs: number, batch: number): ItemBatch[] {
  const byInterval = Map.groupBy(items, (item) => item.everyMs)
  return [...byInterval].flatMap(([samplingMs, group]) => {
    const queueSize = Math.ceil(publishingMs / samplingMs) + 2
    const count = Math.ceil(group.length / batch)
    return Array.from({ length: count }, (_, i) => ({
      samplingMs,
      queueSize,
      items: group.slice(i * batch, (i + 1) * batch),
    }))
  })
}
