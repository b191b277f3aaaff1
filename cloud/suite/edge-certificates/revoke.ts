import { Type } from 'typebox'
import { defineCommand } from '#cloud/platform/door/command.ts'
import { DomainError } from '#cloud/platform/errors.ts'
import { Id } from '#shared/contracts/http.ts'
import { certificateStore, codeStore, renewalStore } from './store.ts'

/** Takes certificates of an edge back, one or all that are good; open codes end with all. The broker drops its connection. */
export const revokeCertificates = defineCommand({
  name: 'edge.revoke-certificates',
  action: 'edge.manage',
  input: Type.Object({ edgeId: Id, serial: Type.Optional(Type.String()), reason: Type.String() }),
  resource: () => ({ type: 'edge' }),
  async run({ tx, actor, at, emit }, { edgeId, serial, reason }) {
    const store = certificateStore(tx)
    const serials = await store.revoke(edgeId, { revoked_at: at, revoked_by: actor.name, reason }, serial)
    if (serial === undefined) await codeStore(tx).end(edgeId, at)
    if (serial !== undefined && serials.length === 0) {
      throw new DomainError('not-found', 'certificate.unknown', `The edge has no good certificate ${serial}`)
    }
    const data = { edgeId, serials, by: actor.name, reason }
    await emit({ type: 'edge.certificates-revoked', topics: ['edges'], data })
    return { serials }
  },
})

/** Lets a box whose certificate expired have another. */
export const confirmRenewal = defineCommand({
  name: 'edge.confirm-renewal',
  action: 'edge.manage',
  input: Type.Object({ edgeId: Id, id: Id }),
  resource: () => ({ type: 'edge' }),
  async run({ tx, actor, at, emit }, { edgeId, id }) {
    const serial = await renewalStore(tx).confirm(edgeId, id, { name: actor.name, at })
    if (serial === undefined) throw new DomainError('not-found', 'renewal.unknown', `No renewal ${id} waits`)
    await emit({ type: 'edge.renewal-confirmed', topics: ['edges'], data: { edgeId, serial, by: actor.name } })
    return { serial }
  },
})
