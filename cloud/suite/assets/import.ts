import type { CommandContext } from '#cloud/platform/door/command.ts'
import type { OrganisationSeed, SeedAsset } from '#shared/contracts/organisation-seed.ts'
import { addAsset } from './create.ts'
import { assetStore } from './store.ts'

/** Adds the assets of the file that are not there yet; nothing that exists is changed. Runs inside a command. */
export async function importAssets(
  context: CommandContext,
  seed: OrganisationSeed,
  people: ReadonlyMap<string, string>,
): Promise<void> {
  const ids = new Map((await assetStore(context.tx).all()).map((row) => [row.code, row.id]))
  for (const [position, asset] of seed.assets.entries()) {
    if (ids.has(asset.asset)) continue
    const row = await addAsset(context, {
      ...wiring(asset),
      parent_id: (asset.parent && ids.get(asset.parent)) || null,
      code: asset.asset,
      name: asset.name,
      kind: asset.kind,
      position,
      owner_id: (asset.owner && people.get(asset.owner)) || null,
    })
    ids.set(asset.asset, row.id)
  }
}

const NOWHERE = { group: null, edge: null, device: null }

function wiring(asset: SeedAsset) {
  const { group, edge, device } = asset.device ?? NOWHERE
  return {
    asset_class: asset.assetClass ?? null,
    criticality: asset.criticality ?? null,
    device_group: group,
    device_edge: edge,
    device_name: device,
  }
}
