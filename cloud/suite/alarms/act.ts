import { setTimeout as pause } from 'node:timers/promises'
import { type Static, Type } from 'typebox'
import type { AlarmPointStatus } from '#cloud/pipeline/index.ts'
import type { Database } from '#cloud/platform/database/database.ts'
import type { Actor } from '#cloud/platform/door/actor.ts'
import { type CommandContext, defineCommand } from '#cloud/platform/door/command.ts'
import { found } from '#cloud/platform/errors.ts'
import { newId } from '#cloud/platform/id.ts'
import type { AlarmActionResult } from '#shared/contracts/alarm.ts'
import type { AlarmActionKind } from '#shared/contracts/alarm-command.ts'
import { Id } from '#shared/contracts/http.ts'
import type { SuiteDeps } from '../kernel/index.ts'
import { alarmActionStore } from './store.ts'

const Ask = Type.Object({
  alarmId: Id,
  comment: Type.Optional(Type.String({ maxLength: 1000 })),
  minutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 1440 })),
})
type Ask = Static<typeof Ask>

/** How long a call waits for the shard before it answers "pending". */
const PATIENCE_MS = 2000

/** What an operator may ask of an alarm; the shard alone changes its state. */
export function alarmCommands({ pipeline }: SuiteDeps) {
  const point = async ({ org }: CommandContext, id: string) =>
    found(await pipeline.detection.alarm(org, id), 'alarm', id)
  const command = (name: string, kind: AlarmActionKind) =>
    defineCommand({
      name: `alarm.${name}`,
      input: Ask,
      resource: async (context, input) => resourceOf(await point(context, input.alarmId)),
      run: async (context, input) => queue(context, kind, input, await point(context, input.alarmId)),
    })
  return {
    acknowledge: command('acknowledge', 'acknowledge'),
    confirm: command('confirm', 'confirm'),
    reset: command('reset', 'reset'),
    shelve: command('shelve', 'shelve'),
    shelveOnce: command('shelve', 'shelve-one-shot'),
    unshelve: command('unshelve', 'unshelve'),
  }
}

function resourceOf(point: AlarmPointStatus) {
  return { type: 'alarm', alarmId: point.id, class: point.definition.class ?? 'process', priority: point.priority }
}

/** Writes the row that the shard waits for; its trigger tells the shard at once. */
async function queue(context: CommandContext, kind: AlarmActionKind, input: Ask, point: AlarmPointStatus) {
  const id = newId()
  await alarmActionStore(context.tx).add({
    id,
    org_id: context.org,
    point_id: input.alarmId,
    kind,
    by: context.actor.id ?? 'system',
    comment: input.comment ?? null,
    until: input.minutes ? new Date(context.at.getTime() + input.minutes * 60_000) : null,
    occurrence_id: kind === 'acknowledge' ? point.occurrenceId : null,
    at: context.at,
  })
  return { id }
}

/** Waits until the shard has applied or refused the action, 2 s at most. */
export async function outcome(db: Database, actor: Actor, id: string): Promise<AlarmActionResult> {
  const deadline = performance.now() + PATIENCE_MS
  for (let waitMs = 4; performance.now() < deadline; waitMs = Math.min(waitMs * 2, 20)) {
    const result = await db.inOrg(actor.org, (tx) => alarmActionStore(tx).result(id))
    if (result) return { id, status: result.status, state: result.state ?? null, error: result.error ?? null }
    await pause(waitMs)
  }
  return { id, status: 'pending', state: null, error: null }
}
