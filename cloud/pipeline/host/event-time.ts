import { LATEST_MS } from '#shared/sparkplug/time.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'

/** Tells detection when a data payload was sent; one without a usable time tells nothing. */
export function tellTime({ detection }: EdgeShard, sentAt: number | undefined, isHistorical: boolean): void {
  if (sentAt === undefined || !(sentAt <= LATEST_MS)) return
  if (isHistorical) detection.onBacklog(sentAt)
  else detection.onEventTime(sentAt)
}
