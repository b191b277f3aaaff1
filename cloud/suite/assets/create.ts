import type { CommandContext } from '#cloud/platform/door/command.ts'
import { plain } from '../kernel/index.ts'
import { type AssetRow, assetStore } from './store.ts'
import type { DeviceRef } from './tree.ts'

/** Code of the asset under which devices stand that nobody has placed yet. */
export const UNASSIGNED = 'UNASSIGNED'

export type NewAsset = Omit<AssetRow, 'id' | 'org_id'>

/** Adds an asset with its record and tells `asset.added`. */
export async function addAsset(context: CommandContext, asset: NewAsset): Promise<AssetRow> {
  const { id } = await context.records.create({
    type: 'asset',
    title: asset.name,
    state: 'active',
    ownerId: asset.owner_id,
  })
  const row = { ...asset, id, org_id: context.org }
  await assetStore(context.tx).add(row)
  await context.emit({ type: 'asset.added', topics: ['assets'], recordId: id, data: { code: asset.code } })
  return row
}

/** The asset that a device speaks for; a device that nobody has placed gets one under "unassigned", so that no alarm is homeless. */
export async function assetForDevice(
  context: CommandContext,
  ref: DeviceRef,
  kind: 'work-unit' | 'equipment-module' = 'work-unit',
): Promise<AssetRow> {
  const store = assetStore(context.tx)
  const known = await store.byDevice(ref)
  if (known) return known
  await store.lockForCreation(context.org)
  const meanwhile = await store.byDevice(ref)
  if (meanwhile) return meanwhile
  const parent = (await store.byCode(UNASSIGNED)) ?? (await addAsset(context, unassigned()))
  return addAsset(context, {
    ...blank(),
    parent_id: parent.id,
    code: await freeCode(context, ref),
    name: plain(ref.device),
    kind,
    position: 1000,
    device_group: ref.group,
    device_edge: ref.edge,
    device_name: ref.device,
  })
}

/** The device's own name where no other asset has it. */
async function freeCode(context: CommandContext, ref: DeviceRef): Promise<string> {
  const short = ref.device.toUpperCase()
  return (await assetStore(context.tx).byCode(short)) ? `${ref.group}-${ref.edge}-${ref.device}`.toUpperCase() : short
}

function unassigned(): NewAsset {
  const name = { en: 'Unassigned', 'zh-CN': '未分配' }
  return { ...blank(), code: UNASSIGNED, name, kind: 'area', position: 10_000 }
}

const blank = () => ({
  parent_id: null,
  asset_class: null,
  criticality: null,
  owner_id: null,
  device_group: null,
  device_edge: null,
  device_name: null,
})
