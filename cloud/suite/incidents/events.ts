import type { CommandContext, Fact } from '#cloud/platform/door/command.ts'
import type { FullIncidentRow } from './store.ts'

/** What incidents tell, past tense. `incident.opened` and `incident.restored` also change the asset's line on the board. */
export type IncidentEvent =
  | 'incident.opened'
  | 'incident.alarm-joined'
  | 'incident.alarm-returned'
  | 'incident.called'
  | 'incident.seen'
  | 'incident.accepted'
  | 'incident.arrived'
  | 'incident.declined'
  | 'incident.contained'
  | 'incident.stopped'
  | 'incident.restored'
  | 'incident.review-started'
  | 'incident.closed'
  | 'incident.cancelled'
  | 'incident.reopened'

/** Tells a fact of an incident with its cause, and writes it to the incident's activity. */
export function tell(
  context: CommandContext,
  incident: Pick<FullIncidentRow, 'id' | 'number' | 'cause_id'>,
  type: IncidentEvent,
  data: Fact['data'],
): Promise<string> {
  const causeId = incident.cause_id ?? undefined
  return context.emit({
    type,
    topics: ['incidents', 'assets'],
    recordId: incident.id,
    causeId,
    data: { number: incident.number, ...data },
  })
}
