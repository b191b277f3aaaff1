import type { AssetRef } from '#shared/contracts/asset.ts'
import { PRIORITIES, type Priority } from '#shared/contracts/priority.ts'
import type { AssetRow } from './store.ts'

/** Names a device on the wire. */
export interface DeviceRef {
  readonly group: string
  readonly edge: string
  readonly device: string
}

/** `group/edge/device`, as alarms and machine states are asked for. */
export const devicePath = (ref: DeviceRef): string => `${ref.group}/${ref.edge}/${ref.device}`

/** The asset tree of one organisation, read once for a request. */
export interface AssetTree {
  /** From the root down, brothers by position. */
  readonly ordered: readonly AssetRow[]
  readonly byId: ReadonlyMap<string, AssetRow>
  readonly byDevice: ReadonlyMap<string, AssetRow>
  ref(id: string): AssetRef
  /** From the root down, without the asset itself. */
  path(id: string): AssetRef[]
  /** The asset and everything below it. */
  below(id: string): readonly AssetRow[]
}

export const refOf = (row: AssetRow): AssetRef => ({ id: row.id, code: row.code, name: row.name })

/** The wire paths of the devices that speak for these assets. */
export const devicesOf = (rows: readonly AssetRow[]): string[] => rows.flatMap((row) => deviceOf(row) ?? [])

/** The wire path of the asset's own device; undefined for an asset that none speaks for. */
export function deviceOf(row: AssetRow): string | undefined {
  if (row.device_group === null || row.device_edge === null || row.device_name === null) return undefined
  return devicePath({ group: row.device_group, edge: row.device_edge, device: row.device_name })
}

/** Builds the tree from its rows; a row whose parent is missing stands at the root. */
export function treeOf(rows: readonly AssetRow[]): AssetTree {
  const byId = new Map(rows.map((row) => [row.id, row]))
  const byDevice = new Map(rows.flatMap((row) => [[deviceOf(row), row] as const]).filter(hasKey))
  const children = Map.groupBy(rows, (row) => (row.parent_id && byId.has(row.parent_id) ? row.parent_id : ''))
  const below = (id: string): AssetRow[] => {
    const own = byId.get(id)
    return [...(own ? [own] : []), ...(children.get(id) ?? []).flatMap((child) => below(child.id))]
  }
  return {
    ordered: (children.get('') ?? []).flatMap((root) => below(root.id)),
    byId,
    byDevice,
    below,
    ref: (id) => refOf(byId.get(id) ?? unknownAsset(id)),
    path: (id) => ancestors(byId, id).map(refOf),
  }
}

const hasKey = (entry: readonly [string | undefined, AssetRow]): entry is readonly [string, AssetRow] =>
  entry[0] !== undefined

function ancestors(byId: ReadonlyMap<string, AssetRow>, id: string): AssetRow[] {
  const path: AssetRow[] = []
  let parent = byId.get(byId.get(id)?.parent_id ?? '')
  while (parent && !path.includes(parent)) {
    path.unshift(parent)
    parent = byId.get(parent.parent_id ?? '')
  }
  return path
}

/** Stands for an asset that is gone, so that a list still shows its row. */
function unknownAsset(id: string): AssetRow {
  const name = { en: 'Unknown asset', 'zh-CN': '未知设备' }
  const none = { parent_id: null, asset_class: null, criticality: null, owner_id: null }
  const device = { device_group: null, device_edge: null, device_name: null }
  return { id, org_id: '', code: '?', name, kind: 'work-unit', position: 0, ...none, ...device }
}

/** The most urgent priority and how many alarms stand, here and below. */
export interface Rollup {
  readonly worst: Priority | null
  readonly count: number
}

/** Rolls the annunciated alarms of devices up to each asset of the tree. */
export function rollUp(
  tree: AssetTree,
  alarms: readonly { readonly device: string; readonly priority: Priority }[],
): ReadonlyMap<string, Rollup> {
  const rolled = new Map<string, Rollup>()
  for (const { device, priority } of alarms) {
    for (let row = tree.byDevice.get(device); row; row = tree.byId.get(row.parent_id ?? '')) {
      const before = rolled.get(row.id) ?? { worst: null, count: 0 }
      rolled.set(row.id, { worst: worseOf(before.worst, priority), count: before.count + 1 })
    }
  }
  return rolled
}

function worseOf(a: Priority | null, b: Priority): Priority {
  return a !== null && PRIORITIES.indexOf(a) <= PRIORITIES.indexOf(b) ? a : b
}
