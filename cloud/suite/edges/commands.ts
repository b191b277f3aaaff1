import { setTimeout as wait } from 'node:timers/promises'
import { type Static, Type } from 'typebox'
import { type CommandOutcome, type DeviceStatus, isUnanswered, type WriteCommand } from '#cloud/pipeline/index.ts'
import { type Actor, systemActor } from '#cloud/platform/door/actor.ts'
import { type CommandContext, defineCommand } from '#cloud/platform/door/command.ts'
import type { ExecuteOptions } from '#cloud/platform/door/door.ts'
import { DomainError, found } from '#cloud/platform/errors.ts'
import type { DeviceCommand, TagWrite as Write } from '#shared/contracts/device-command.ts'
import { TagWrite } from '#shared/contracts/device-command.ts'
import { Id } from '#shared/contracts/http.ts'
import type { Scalar } from '#shared/contracts/sample.ts'
import { devicePath } from '../assets/index.ts'
import { commandStore, type DeviceCommandRow } from './command-store.ts'
import type { EdgeDeps } from './routes.ts'

/** How long a call waits for the edge before it answers "pending". */
const PATIENCE_MS = 2000
/** The pipeline gives a command up long before this: whoever sent it is gone, and nobody will ever know. */
const FORGOTTEN_MS = 60_000
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

const Ask = Type.Object({ id: Id, deviceId: Id, writes: Type.Array(TagWrite) })
const Settle = Type.Object({
  id: Id,
  status: Type.Enum(['done', 'refused', 'failed', 'sent', 'timed-out']),
  error: Type.Optional(Type.String()),
})

/** Commands to devices: asked for by a person, sent once, their result kept. */
export interface DeviceCommands {
  /** Sends a command, or answers what became of it. @throws DomainError naming why nothing was sent. */
  send(actor: Actor, deviceId: string, writes: readonly Write[], intent: ExecuteOptions): Promise<DeviceCommand>
  one(actor: Actor, deviceId: string, id: string): Promise<DeviceCommand>
}

/** Makes them. */
export function deviceCommands(deps: EdgeDeps): DeviceCommands {
  const { db, door, clock } = deps
  const [ask, settle] = [askCommand(deps), settleCommand(deps)]
  const read = async (org: string, deviceId: string, id: string) => {
    const row = await db.inOrg(org, (tx) => commandStore(tx).one(id))
    return viewOf(found(row?.device_id === deviceId ? row : undefined, 'device-command', id), clock())
  }
  return {
    one: (actor, deviceId, id) => read(actor.org, deviceId, id),
    async send(actor, deviceId, writes, intent) {
      const id = commandIdOf(intent)
      await door.execute(ask, actor, { id, deviceId, writes: [...writes] }, intent)
      const isMine = await db.inOrg(actor.org, (tx) => commandStore(tx).take(id, new Date(clock())))
      if (isMine) await answered(deps, { id, actor, deviceId, writes, settle })
      return read(actor.org, deviceId, id)
    },
  }
}

function commandIdOf({ idempotencyKey }: ExecuteOptions): string {
  if (idempotencyKey !== undefined && UUID.test(idempotencyKey)) return idempotencyKey.toLowerCase()
  const words = 'Send Idempotency-Key with a UUID: it is the id of the command, so that it is never carried out twice'
  throw new DomainError('invalid', 'idempotency-key.required', words)
}

interface Sending {
  readonly id: string
  readonly actor: Actor
  readonly deviceId: string
  readonly writes: readonly Write[]
  readonly settle: ReturnType<typeof settleCommand>
}

/** Sends it and notes the result, however late; waits for it for a moment. Throws when nothing left, which is noted too. */
async function answered(deps: EdgeDeps, sending: Sending): Promise<void> {
  const { door, log } = deps
  const { id, actor, settle } = sending
  const note = (outcome: CommandOutcome) => door.execute(settle, systemActor(actor.org), { ...outcome })
  const result = outcomeOf(deps, sending).then(
    (outcome) => note(outcome),
    async (error: unknown) => {
      await note(failureOf(id, error))
      throw error
    },
  )
  result.catch((err: unknown) => log.info({ err, commandId: id }, 'A command was not sent'))
  await Promise.race([result, wait(PATIENCE_MS, undefined, { ref: false })])
}

function failureOf(id: string, error: unknown): CommandOutcome {
  if (!(error instanceof DomainError)) {
    return {
      id,
      status: 'timed-out',
      error: 'The cloud failed while it was under way; it may have been carried out or not',
    }
  }
  // Without an answer of the machine side nobody knows whether the command left.
  if (isUnanswered(error)) return { id, status: 'timed-out', error: error.message }
  return { id, status: error.kind === 'invalid' ? 'refused' : 'failed', error: error.message }
}

async function outcomeOf({ pipeline }: EdgeDeps, { id, actor, deviceId, writes }: Sending): Promise<CommandOutcome> {
  const { group, edge, device } = await ownDevice(pipeline, actor.org, deviceId)
  const metrics = await Promise.all(
    writes.map(async ({ tag, value, expected }) => {
      const typed = await writable(pipeline, `${group}/${edge}/${device}/${tag}`)
      return { name: tag, value: typed(value), ...(expected === undefined ? {} : { expected: typed(expected) }) }
    }),
  )
  return pipeline.command({ edge: { group, edge }, device, metrics, commandId: id } satisfies WriteCommand)
}

async function ownDevice(pipeline: EdgeDeps['pipeline'], org: string, id: string): Promise<DeviceStatus> {
  return found(
    (await pipeline.devices(org)).find((device) => device.id === id),
    'device',
    id,
  )
}

/** Turns values of a tag into what the machine side takes. @throws DomainError for a tag that its profile does not let anybody write. */
async function writable(pipeline: EdgeDeps['pipeline'], path: string): Promise<(value: Write['value']) => Scalar> {
  const tag = await pipeline.tag(path)
  if (tag?.definition && !tag.definition.writable) {
    throw new DomainError(
      'invalid',
      'command.read-only',
      `${path} is read-only: its profile does not say 'writable: true'`,
    )
  }
  const isWide = tag?.type === 'int64' || tag?.type === 'uint64'
  return (value) => (isWide && typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? BigInt(value) : value)
}

/** Judges and keeps the command; with the asset of the device, in its activity. */
const askCommand = ({ pipeline, assets }: EdgeDeps) =>
  defineCommand({
    name: 'device.command',
    input: Ask,
    resource: async ({ org }, { deviceId }) => ({
      type: 'device',
      deviceId: (await ownDevice(pipeline, org, deviceId)).id,
    }),
    async run(context, { id, deviceId, writes }) {
      const { org, actor, at } = context
      const own = { id, org_id: org, device_id: deviceId, writes, asked_by: actor.id ?? actor.name, asked_at: at }
      if (!(await commandStore(context.tx).add(own))) {
        throw new DomainError('conflict', 'idempotency-key.reused', 'This Idempotency-Key was used for another command')
      }
      const device = await ownDevice(pipeline, org, deviceId)
      const data = { id, device: devicePath(device), writes, by: own.asked_by }
      await tell(context, { assets, device }, 'device.commanded', data)
      return { id }
    },
  })

/** Keeps the result, with who asked and what for, beside the command. */
const settleCommand = ({ pipeline, assets }: EdgeDeps) =>
  defineCommand({
    name: 'device.command-settle',
    input: Settle,
    resource: () => ({ type: 'device' }),
    async run(context, { id, status, error }) {
      const store = commandStore(context.tx)
      await store.settle({ id, status, ...(error ? { error } : {}) }, context.at)
      const row = found(await store.one(id), 'device-command', id)
      const device = await ownDevice(pipeline, context.org, row.device_id)
      const result = { status, ...(error ? { error } : {}), writes: [...row.writes], by: row.asked_by }
      await tell(context, { assets, device }, 'device.command-settled', { id, device: devicePath(device), ...result })
      return { id }
    },
  })

type Told = Static<typeof Ask>['writes']

async function tell(
  context: CommandContext,
  { assets, device }: { readonly assets: EdgeDeps['assets']; readonly device: DeviceStatus },
  type: string,
  data: { readonly id: string; readonly device: string; readonly writes: Told; readonly by: string },
): Promise<void> {
  const asset = (await assets.tree(context.tx)).byDevice.get(devicePath(device))
  await context.emit({ type, topics: ['edges'], recordId: asset?.id, data: { ...data } })
}

function viewOf(row: DeviceCommandRow, now: number): DeviceCommand {
  const { id, device_id: deviceId, writes, asked_by: askedBy, asked_at: askedAt, settled_at: settledAt } = row
  const isForgotten = row.status === null && now - askedAt.getTime() > FORGOTTEN_MS
  const words = 'The cloud was restarted while it was under way; it may have been carried out or not'
  return {
    ...{ id, deviceId, writes: [...writes], askedBy, askedAt: askedAt.toISOString() },
    status: isForgotten ? 'timed-out' : (row.status ?? 'pending'),
    error: isForgotten ? words : row.error,
    settledAt: settledAt?.toISOString() ?? null,
  }
}
