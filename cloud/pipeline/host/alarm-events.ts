import { Value } from 'typebox/value'
import { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import type { Payload } from '#shared/sparkplug/payload.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'
import { isStorable, type Slot } from '../shard/slots.ts'
import type { HostContext } from './host-context.ts'

/** Hands the alarm events of a payload to detection. One that nobody can read is told and keeps its offset. */
export function takeAlarmEvents(
  host: HostContext,
  shard: EdgeShard,
  { payload, slots }: { readonly payload: Payload; readonly slots: readonly Slot[] },
): void {
  for (let i = 0; i < slots.length; i++) {
    if (slots[i]?.role !== 'alarm-event') continue
    const event = readAlarmEvent(shard, payload.valueAs(i, 'string'))
    if (event) shard.detection.onAlarmEvent(event)
    host.metrics.count(event ? 'alarm_events_total' : 'alarm_events_unreadable_total', 1)
  }
}

/** Undefined for a text that is no event of an alarm of this edge. */
function readAlarmEvent({ ref }: EdgeShard, text: unknown): AlarmEvent | undefined {
  let event: unknown
  try {
    event = JSON.parse(String(text))
  } catch {
    return undefined
  }
  if (!Value.Check(AlarmEvent, event)) return undefined
  const { group, edge, device, tag, alarm, reference = alarm, comment = '' } = event
  const isOwn = group === ref.group && edge === ref.edge
  const isKept = [device, tag, alarm, reference].every((name) => isStorable(name)) && !comment.includes('\0')
  return isOwn && isKept ? event : undefined
}
