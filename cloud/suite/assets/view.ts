import type { MachineStateInterval } from '#cloud/pipeline/index.ts'
import type { Tx } from '#cloud/platform/database/database.ts'
import type { Asset } from '#shared/contracts/asset.ts'
import { chip, type PersonRefs } from '../directory/index.ts'
import type { AssetRouteDeps } from './routes.ts'
import type { AssetRow } from './store.ts'
import { type AssetTree, deviceOf, devicePath, type Rollup, rollUp } from './tree.ts'

interface Surroundings {
  readonly tree: AssetTree
  readonly people: PersonRefs
  readonly states: ReadonlyMap<string, MachineStateInterval>
  readonly alarms: ReadonlyMap<string, Rollup>
  readonly incidents: ReadonlyMap<string, number>
}

/** Every asset of the organisation with what its machine does and the worst alarm here and below. */
export async function assetsOf(deps: AssetRouteDeps, tx: Tx, org: string): Promise<Asset[]> {
  const { detection } = deps.pipeline
  const tree = await deps.tree(tx)
  const [states, alarms] = await Promise.all([
    detection.machineStates(org),
    detection.alarms(org, { isAnnunciated: true, limit: 500 }),
  ])
  const around: Surroundings = {
    tree,
    people: await deps.directory.refs(
      tx,
      tree.ordered.map((row) => row.owner_id),
    ),
    states: new Map(states.map((state) => [devicePath(state), state])),
    alarms: rollUp(
      tree,
      alarms.items.map((a) => ({ device: devicePath(a), priority: a.priority })),
    ),
    incidents: await deps.openIncidents(tx),
  }
  return tree.ordered.map((row) => assetOf(row, around))
}

function assetOf(row: AssetRow, { tree, people, states, alarms, incidents }: Surroundings): Asset {
  const device = deviceOf(row)
  const state = device ? states.get(device) : undefined
  const rolled = alarms.get(row.id)
  return {
    id: row.id,
    parentId: row.parent_id,
    code: row.code,
    name: row.name,
    kind: row.kind as Asset['kind'],
    assetClass: row.asset_class,
    criticality: row.criticality as Asset['criticality'],
    position: row.position,
    path: tree.path(row.id),
    owner: chip(people, row.owner_id),
    device: device ? wireDevice(row) : null,
    state: { state: state?.state ?? 'no-data', since: state ? new Date(state.since).toISOString() : null },
    worstPriority: rolled?.worst ?? null,
    activeAlarmCount: rolled?.count ?? 0,
    openIncidentCount: tree.below(row.id).reduce((sum, below) => sum + (incidents.get(below.id) ?? 0), 0),
  }
}

function wireDevice(row: AssetRow) {
  return { group: row.device_group ?? '', edge: row.device_edge ?? '', device: row.device_name ?? '' }
}
