import { createHash } from 'node:crypto'
import { Type } from 'typebox'
import { systemActor } from '#cloud/platform/door/actor.ts'
import { defineCommand } from '#cloud/platform/door/command.ts'
import { type ConfigurationReport, reportStatement } from '#shared/contracts/edge-configuration.ts'
import { Id } from '#shared/contracts/http.ts'
import { proveBox } from '../edge-certificates/index.ts'
import type { SuiteDeps } from '../kernel/index.ts'
import { configurationStore } from './store.ts'

/** SHA-256 of a document, hexadecimal, as the box tells it. */
export const hashOf = (document: string): string => createHash('sha256').update(document).digest('hex')

const NewVersion = Type.Object({
  edgeId: Id,
  document: Type.String(),
  source: Type.Union([Type.Literal('person'), Type.Literal('edge')]),
  reason: Type.Optional(Type.String()),
})

/** Keeps a document as the next version of its edge; nothing is sent. */
export const saveVersion = defineCommand({
  name: 'edge.save-configuration',
  action: 'edge.manage',
  input: NewVersion,
  audited: ({ edgeId, document, source }) => ({ edgeId, source, hash: hashOf(document) }),
  resource: () => ({ type: 'edge' }),
  async run({ tx, org, actor, at, emit }, { edgeId, document, source, reason = null }) {
    const hash = hashOf(document)
    const made = { made_by: actor.name, made_at: at, reason, source }
    const version = await configurationStore(tx).add({ ...made, edge_id: edgeId, org_id: org, hash, document })
    await emit({ type: 'edge.configuration-saved', topics: ['edges'], data: { edgeId, version, hash, by: actor.name } })
    return { version, hash }
  },
})

/** A box runs a document that the cloud did not send: it is kept as a version, found at the box. */
export async function takeReported(deps: SuiteDeps, report: ConfigurationReport): Promise<{ version: number }> {
  const { document } = report
  const { org, edgeId, group, edge } = await proveBox(deps, report, reportStatement(report))
  const known = await deps.db.inOrg(org, (tx) => configurationStore(tx).byHash(edgeId, hashOf(document)))
  if (known) return { version: known.version }
  const actor = systemActor(org, `${group}/${edge}`)
  const { version } = await deps.door.execute(saveVersion, actor, { edgeId, document, source: 'edge' })
  return { version }
}
