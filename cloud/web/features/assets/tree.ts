import type { Asset } from '#shared/contracts/asset.ts'

/** An asset with what stands below it. */
export interface Branch {
  readonly asset: Asset
  readonly below: readonly Branch[]
}

/** The tree of a flat list; an asset whose parent is not in the list stands at the top, so that none is hidden. */
export function treeOf(assets: readonly Asset[]): readonly Branch[] {
  const known = new Set(assets.map((asset) => asset.id))
  const byParent = Map.groupBy(assets, (asset) => (asset.parentId && known.has(asset.parentId) ? asset.parentId : ''))
  const branches = (parent: string): readonly Branch[] =>
    (byParent.get(parent) ?? [])
      .toSorted((a, b) => a.position - b.position || a.code.localeCompare(b.code))
      .map((asset) => ({ asset, below: branches(asset.id) }))
  return branches('')
}
