import { describe, expect, it } from 'vitest'
import type { AssetRow } from './store.ts'
import { devicesOf, rollUp, treeOf } from './tree.ts'

const row = (id: string, parent_id: string | null, position: number, device_name: string | null = null): AssetRow => ({
  id,
  org_id: 'o',
  parent_id,
  code: id.toUpperCase(),
  name: { en: id, 'zh-CN': id },
  kind: 'work-unit',
  asset_class: null,
  criticality: null,
  position,
  owner_id: null,
  device_group: device_name && 'g',
  device_edge: device_name && 'e',
  device_name,
})
const tree = treeOf([
  row('lam', 'line', 2, 'laminator-1'),
  row('line', 'site', 1),
  row('site', null, 0),
  row('str', 'line', 1, 'stringer-1'),
  row('lost', 'gone', 9),
])

describe('the asset tree', () => {
  it('keeps what belongs together together, whatever order the rows came in', () => {
    expect(tree.ordered.map((r) => r.id)).toEqual(['site', 'line', 'lam', 'str', 'lost'])
  })

  it('tells the path from the root without the asset itself', () => {
    expect(tree.path('lam').map((r) => r.id)).toEqual(['site', 'line'])
    expect(tree.path('site')).toEqual([])
  })

  it('finds the devices below an asset', () => {
    expect(devicesOf(tree.below('line'))).toEqual(['g/e/laminator-1', 'g/e/stringer-1'])
  })

  it('rolls the worst priority up to the root', () => {
    const rolled = rollUp(tree, [
      { device: 'g/e/laminator-1', priority: 'medium' },
      { device: 'g/e/stringer-1', priority: 'critical' },
      { device: 'g/e/unknown', priority: 'critical' },
    ])
    expect(rolled.get('site')).toEqual({ worst: 'critical', count: 2 })
    expect(rolled.get('lam')).toEqual({ worst: 'medium', count: 1 })
    expect(rolled.get('lost')).toBeUndefined()
  })
})
