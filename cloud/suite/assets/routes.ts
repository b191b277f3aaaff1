import { Type } from 'typebox'
import type { Tx } from '#cloud/platform/database/database.ts'
import { found } from '#cloud/platform/errors.ts'
import type { HttpApp } from '#cloud/platform/http/app.ts'
import { Asset } from '#shared/contracts/asset.ts'
import { Id, Instant, nullable, Page } from '#shared/contracts/http.ts'
import { MachineState } from '#shared/contracts/machine-state.ts'
import type { Directory } from '../directory/index.ts'
import { onePage, type SuiteDeps } from '../kernel/index.ts'
import type { OpenIncidentCounts } from './index.ts'
import { type AssetTree, deviceOf } from './tree.ts'
import { assetsOf } from './view.ts'

export interface AssetRouteDeps extends SuiteDeps {
  readonly directory: Directory
  readonly openIncidents: OpenIncidentCounts
  readonly tree: (tx: Tx) => Promise<AssetTree>
}

const Params = Type.Object({ id: Id })
const Range = Type.Object({ from: Instant, to: Instant })
const States = Type.Object({
  items: Type.Array(Type.Object({ state: MachineState, from: Instant, to: nullable(Instant) })),
})

/** `GET /api/assets`, `GET /api/assets/:id`, `GET /api/assets/:id/states`. */
export function assetRoutes(app: HttpApp, deps: AssetRouteDeps): void {
  const { db, pipeline, tree } = deps
  const access = { action: 'asset.view', type: 'asset' }
  app.get('/api/assets', { config: { access }, schema: { response: { 200: Page(Asset) } } }, ({ actor }) =>
    db.inOrg(actor.org, async (tx) => onePage(await assetsOf(deps, tx, actor.org))),
  )
  app.get(
    '/api/assets/:id',
    { config: { access }, schema: { params: Params, response: { 200: Asset } } },
    ({ actor, params }) =>
      db.inOrg(actor.org, async (tx) => {
        const asset = (await assetsOf(deps, tx, actor.org)).find((a) => a.id === params.id)
        return found(asset, 'asset', params.id)
      }),
  )
  app.get(
    '/api/assets/:id/states',
    { config: { access }, schema: { params: Params, querystring: Range, response: { 200: States } } },
    async ({ actor, params, query }) => {
      const assets = await db.inOrg(actor.org, tree)
      const device = deviceOf(found(assets.byId.get(params.id), 'asset', params.id))
      const [from, to] = [Date.parse(query.from), Date.parse(query.to)]
      const states = device ? await pipeline.detection.machineStateHistory(actor.org, device, from, to) : []
      return { items: states.map(stateOf) }
    },
  )
}

function stateOf({ state, since, until }: { state: MachineState; since: number; until: number | null }) {
  const to = until === null ? null : new Date(until).toISOString()
  return { state, from: new Date(since).toISOString(), to }
}
