import { Value } from 'typebox/value'
import { EdgeReport } from '#shared/contracts/edge-report.ts'
import { STATUS } from '#shared/sparkplug/metric-names.ts'
import type { Payload } from '#shared/sparkplug/payload.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'
import { slotOf } from '../shard/slots.ts'
import type { HostContext } from './host-context.ts'

/** Notes what a birth tells of its edge; nothing of what an earlier session told holds any more. */
export function bornReport(host: HostContext, shard: EdgeShard, payload: Payload): void {
  shard.report = null
  for (let i = 0; i < payload.count; i++) if (payload.name(i) === STATUS) noteReport(host, shard, payload, i)
}

/** Notes what an NDATA without journal samples tells of its edge. */
export function takeReport(host: HostContext, shard: EdgeShard, payload: Payload): void {
  const born = shard.born(undefined)
  for (let i = 0; i < payload.count; i++) {
    if (slotOf(born, payload, i)?.role === 'report') noteReport(host, shard, payload, i)
  }
}

/** One that nobody can read is counted, and the last one stays: it is for people, and carries its own time. */
function noteReport(host: HostContext, shard: EdgeShard, payload: Payload, index: number): void {
  if (payload.isNull(index)) return
  const report = parsed(payload.valueAs(index, 'string'))
  if (report) shard.report = report
  else host.metrics.count('edge_reports_unreadable_total', 1)
}

function parsed(text: unknown): EdgeReport | undefined {
  try {
    const value: unknown = JSON.parse(String(text))
    return Value.Check(EdgeReport, value) ? value : undefined
  } catch {
    return undefined
  }
}
