import type { CommandContext } from '#cloud/platform/door/command.ts'
import type { MachineState } from '#shared/contracts/machine-state.ts'
import { say } from '../chat/index.ts'
import type { IncidentDeps } from './deps.ts'
import { tell } from './events.ts'
import { groupOf } from './grouping.ts'
import { isUnrestored } from './state.ts'
import { type FullIncidentRow, incidentStore } from './store.ts'

/** What a machine's own state tag said. */
export interface StateChange {
  readonly group: string
  readonly edge: string
  readonly device: string
  readonly state: MachineState
  /** ms since 1970, event time. */
  readonly at: number
}

/** A machine that stood and runs again proves the restore; one that never stood proves nothing. Silence says neither. */
export async function noteMachineState(
  deps: IncidentDeps,
  context: CommandContext,
  change: StateChange,
): Promise<void> {
  if (change.state === 'no-data') return
  const asset = await deps.assets.forDevice(context, change)
  const tree = await deps.assets.tree(context.tx)
  const nodes = new Map(tree.ordered.map((a) => [a.id, { id: a.id, parentId: a.parent_id, kind: a.kind }]))
  const group = groupOf(asset.id, nodes)
  await context.records.lock(group)
  const at = new Date(change.at)
  for (const incident of await incidentStore(context.tx).ofGroup(group)) {
    if (!isUnrestored(incident.state) || at < incident.started_at) continue
    if (change.state !== 'running') await noteStop(context, incident, at)
    else if (incident.stopped_at) await restore(deps, context, incident, { at, proof: 'state-tag' })
  }
}

async function noteStop(context: CommandContext, incident: FullIncidentRow, at: Date): Promise<void> {
  if (incident.stopped_at) return
  await incidentStore(context.tx).set(incident.id, { stopped_at: at })
  await tell(context, incident, 'incident.stopped', { eventAt: at.toISOString() })
}

/** What proves that the machine works again. */
export type Proof =
  | { readonly proof: 'state-tag'; readonly at: Date }
  | { readonly proof: 'hand'; readonly at: Date; readonly reason: string }

/** Stops the restore clock and ends all calling. Never closes the incident and touches no alarm. */
export async function restore(
  { notifications }: IncidentDeps,
  context: CommandContext,
  incident: FullIncidentRow,
  proof: Proof,
): Promise<void> {
  await context.records.update(incident.id, { state: 'restored' })
  const by = proof.proof === 'hand' ? context.actor.id : null
  await incidentStore(context.tx).set(incident.id, {
    restored_at: proof.at,
    restored_by: by,
    restore_proof: proof.proof,
    restore_reason: proof.proof === 'hand' ? proof.reason : null,
    contained_at: incident.contained_at ?? proof.at,
  })
  await notifications.endEscalation(context, incident.id)
  const reason = proof.proof === 'hand' ? proof.reason : null
  await tell(context, incident, 'incident.restored', { proof: proof.proof, eventAt: proof.at.toISOString(), reason })
  await say(context, incident.channel_id, { kind: 'system', localized: restoredText(proof), authorId: by ?? undefined })
}

function restoredText(proof: Proof) {
  if (proof.proof === 'hand')
    return { en: `Restored by hand: ${proof.reason}`, 'zh-CN': `人工确认恢复生产：${proof.reason}` }
  return { en: 'Restored: the machine says that it runs', 'zh-CN': '恢复生产：设备状态点位显示运行' }
}
