import { randomUUID } from 'node:crypto'
import { Type } from 'typebox'
import type { CommandOutcome, EdgeStatus, WriteCommand } from '#cloud/pipeline/index.ts'
import { type Actor, systemActor } from '#cloud/platform/door/actor.ts'
import { defineCommand } from '#cloud/platform/door/command.ts'
import type { ExecuteOptions } from '#cloud/platform/door/door.ts'
import { DomainError, found } from '#cloud/platform/errors.ts'
import { newId } from '#cloud/platform/id.ts'
import {
  type ConfigurationFault,
  type ConfigurationPush,
  configurationStatement,
  MAX_DOCUMENT_IN_COMMAND,
} from '#shared/contracts/edge-configuration.ts'
import { Id } from '#shared/contracts/http.ts'
import { authorityOf } from '../edge-certificates/index.ts'
import type { SuiteDeps } from '../kernel/index.ts'
import { type ConfigurationRow, configurationStore, pushStore } from './store.ts'
import { hashOf } from './versions.ts'

/** Metrics of one NCMD; shared/sparkplug names them for the edge. */
const metric = (name: string, value: string | number | boolean) => ({ name: `Andon/Config ${name}`, value })

/** Every fault that the box finds in a document; nothing is changed. @throws DomainError when the box cannot be asked. */
export async function checkDocument(
  { pipeline }: SuiteDeps,
  { group, edge }: EdgeStatus,
  document: string,
): Promise<ConfigurationFault[]> {
  const metrics = [metric('Document', document), metric('Hash', hashOf(document)), metric('Dry Run', true)]
  const outcome = await pipeline.command({ edge: { group, edge }, metrics, commandId: randomUUID() })
  if (outcome.status === 'done') return []
  const faults = faultsOf(outcome.error ?? null)
  if (faults.length > 0) return faults
  const words =
    outcome.error ?? `${group}/${edge} does not check configurations: it is not an edge of Andon's, or an older one`
  throw new DomainError('unavailable', 'configuration.not-checked', words)
}

/** The faults in the answer of a box; none when it told something else. */
export function faultsOf(error: string | null): ConfigurationFault[] {
  try {
    const { faults } = JSON.parse(error ?? '') as { faults?: ConfigurationFault[] }
    return Array.isArray(faults) ? faults : []
  } catch {
    return []
  }
}

/** What is kept of an outcome: its words, with their code where it has one. */
const errorText = ({ error = '', code, params }: CommandOutcome): string =>
  code === undefined ? error : JSON.stringify({ error, code, params })

/** Words and code of a kept outcome. */
export function refusalOf(text: string | null): Pick<ConfigurationPush, 'error' | 'code' | 'params'> {
  try {
    const { error, code, params } = JSON.parse(text ?? '') as Partial<ConfigurationPush>
    if (typeof error === 'string' && typeof code === 'string') return { error, code, ...(params ? { params } : {}) }
  } catch {
    // Words alone.
  }
  return { error: text }
}

export interface PushInput {
  readonly version: number
  readonly reason?: string | undefined
  readonly replaces?: string | undefined
}

/** Sends a version to its edge, signed, and notes what became of it. @throws DomainError when nothing was sent. */
export async function pushVersion(
  deps: SuiteDeps,
  { actor, edge, intent }: { readonly actor: Actor; readonly edge: EdgeStatus; readonly intent: ExecuteOptions },
  { version, reason, replaces: told }: PushInput,
): Promise<string> {
  const { db, door, pipeline } = deps
  const authority = authorityOf(deps.authority, pipeline.mqtt.root)
  const row = await db.inOrg(actor.org, (tx) => configurationStore(tx).one(edge.id, version))
  const { hash, document } = found(row, 'configuration', String(version))
  const replaces = told ?? (await presentHash(deps, actor.org, edge))
  const { group, edge: name } = edge
  const signature = authority.sign(configurationStatement({ group, edge: name, version, hash, replaces }))
  const id = newId()
  const sent = { id, edgeId: edge.id, version, replaces, signature, ...(reason === undefined ? {} : { reason }) }
  await door.execute(notePush, actor, sent, { ...intent, idempotencyKey: undefined })
  const outcome = await sendDown(deps, edge, { id, row: { version, hash, document }, replaces, signature })
  await door.execute(settlePush, systemActor(actor.org), {
    ...{ id, edgeId: edge.id, version, status: outcome.status },
    ...(outcome.error === undefined ? {} : { error: errorText(outcome) }),
  })
  return id
}

/**
 * What lies on the box, when the cloud knows it to be what it wanted there, or nothing was wanted yet. Somebody's work at the
 * box is not overwritten without a word.
 */
async function presentHash({ db }: SuiteDeps, org: string, edge: EdgeStatus): Promise<string> {
  const { report, group, edge: name } = edge
  if (!report)
    throw new DomainError('unavailable', 'edge.tells-nothing', `${group}/${name} has not told what it runs yet`)
  const { hash, fileHash } = report.configuration
  const wanted = await db.inOrg(org, (tx) => pushStore(tx).wanted())
  const own = wanted.get(edge.id)
  const isRolledBack = report.configuration.rolledBack?.version === own?.version
  if (fileHash === hash && (own === undefined || own.hash === hash || isRolledBack)) return fileHash
  const words = `edge.yaml of ${group}/${name} was changed at the box. Compare, then push again with 'replaces': ${fileHash}`
  throw new DomainError('conflict', 'configuration.drift', words)
}

interface Sending {
  readonly id: string
  readonly row: Pick<ConfigurationRow, 'version' | 'hash' | 'document'>
  readonly replaces: string
  readonly signature: string
}

async function sendDown(
  { pipeline }: SuiteDeps,
  { group, edge }: EdgeStatus,
  sending: Sending,
): Promise<CommandOutcome> {
  const { id, row, replaces, signature } = sending
  const isShort = Buffer.byteLength(row.document) <= MAX_DOCUMENT_IN_COMMAND
  const command: WriteCommand = {
    ...{ edge: { group, edge }, commandId: id },
    metrics: [
      ...[metric('Version', row.version), metric('Hash', row.hash), metric('Signature', signature)],
      ...[metric('Replaces', replaces), ...(isShort ? [metric('Document', row.document)] : [])],
    ],
  }
  try {
    return await pipeline.command(command)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    return { id, status: 'failed', error: error.message }
  }
}

const notePush = defineCommand({
  name: 'edge.push-configuration',
  action: 'edge.manage',
  input: Type.Object({
    ...{ id: Id, edgeId: Id, version: Type.Integer(), replaces: Type.String(), signature: Type.String() },
    reason: Type.Optional(Type.String()),
  }),
  resource: () => ({ type: 'edge' }),
  async run({ tx, org, actor, at, emit }, { id, edgeId, version, replaces, signature, reason = null }) {
    const row = { id, org_id: org, edge_id: edgeId, version, replaces, signature, reason }
    await pushStore(tx).add({ ...row, pushed_by: actor.name, pushed_at: at })
    const data = { edgeId, version, pushId: id, by: actor.name }
    await emit({ type: 'edge.configuration-pushed', topics: ['edges'], data })
    return { id }
  },
})

const settlePush = defineCommand({
  name: 'edge.settle-push',
  input: Type.Object({
    ...{ id: Id, edgeId: Id, version: Type.Integer() },
    status: Type.Enum(['done', 'refused', 'failed', 'sent', 'timed-out']),
    error: Type.Optional(Type.String()),
  }),
  resource: () => ({ type: 'edge' }),
  async run({ tx, at, emit }, { id, edgeId, version, status, error = null }) {
    await pushStore(tx).settle(id, { status, error, settled_at: at })
    await emit({ type: 'edge.configuration-settled', topics: ['edges'], data: { edgeId, version, pushId: id, status } })
    return { id }
  },
})
