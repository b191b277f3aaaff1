import type { CommandContext } from '#cloud/platform/door/command.ts'
import { deviceOf } from '../assets/index.ts'
import { say } from '../chat/index.ts'
import { callCrew } from './crew.ts'
import type { IncidentDeps } from './deps.ts'
import { tell } from './events.ts'
import { afterMove } from './state.ts'
import { stoppedSince } from './stop.ts'
import { type FullIncidentRow, incidentStore } from './store.ts'

/** Hours after its restore in which the same alarm reopens an incident. */
export const REOPEN_HOURS = 24

interface Former {
  readonly alarmIds: readonly string[]
  readonly row: FullIncidentRow
}

/** The restored incident that the same alarm brings back within a day; undefined when there is none. */
export function reopenable<T extends Former>(
  activation: { readonly alarmId: string; readonly at: Date },
  incidents: readonly T[],
): T | undefined {
  return incidents.findLast((incident) => {
    const { state, restored_at } = incident.row
    if (!restored_at || !afterMove(state, 'reopen')) return false
    const hours = (activation.at.getTime() - restored_at.getTime()) / 3_600_000
    return hours <= REOPEN_HOURS && incident.alarmIds.includes(activation.alarmId)
  })
}

/** The fault has come back: the repair did not hold, so the clocks of containment and restore run again and the crew is called anew. */
export async function reopen(deps: IncidentDeps, context: CommandContext, incident: FullIncidentRow): Promise<void> {
  const { revision } = await context.records.update(incident.id, { state: 'open' })
  const asset = (await deps.assets.tree(context.tx)).byId.get(incident.asset_id)
  const device = asset && deviceOf(asset)
  const cleared = {
    stopped_at: device ? await stoppedSince(deps, context.org, device) : null,
    contained_at: null,
    contained_by: null,
    restored_at: null,
    restored_by: null,
    restore_proof: null,
    restore_reason: null,
  }
  await incidentStore(context.tx).set(incident.id, cleared)
  await tell(context, incident, 'incident.reopened', {})
  const localized = {
    en: 'The same alarm is back: the incident is open again',
    'zh-CN': '同一报警再次发生：异常重新打开',
  }
  await say(context, incident.channel_id, { kind: 'system', localized })
  await callCrew(deps, context, { ...incident, ...cleared, state: 'open', revision })
}
