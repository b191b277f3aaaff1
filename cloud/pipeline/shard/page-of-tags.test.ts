import { describe, expect, it } from 'vitest'
import type { EdgeDetection } from '../detection/contract.ts'
import { EdgeShard } from './edge-shard.ts'
import { pageOfTags } from './page-of-tags.ts'
import { createShards } from './shards.ts'
import { deviceState, TagState } from './tag-state.ts'

const EDGES = ['line', 'line-1', 'line.2']
const DEVICES = ['press', 'press-1']
const TAGS = ['power', 'pressure', 'temperature']

/** Three edges of one organisation whose names differ around the slash, and one of another. */
function setUp() {
  const shards = createShards()
  const paths: string[] = []
  for (const [index, edge] of [...EDGES, 'theirs'].entries()) {
    const org = edge === 'theirs' ? 'other' : 'own'
    const ref = { group: 'works', edge }
    const detection = {} as EdgeDetection
    const shard = new EdgeShard({ ref, id: `id-${index}`, org, name: edge, secretHash: '', detection })
    shards.add(shard)
    for (const device of DEVICES) {
      const state = deviceState({ id: device, device, profile: null })
      shard.devices.set(device, state)
      for (const tag of TAGS.toReversed()) {
        const path = `works/${edge}/${device}/${tag}`
        state.tags.set(tag, new TagState({ id: path, key: paths.length, path, tag, type: 'double', unit: null }, state))
        if (org === 'own') paths.push(path)
      }
    }
  }
  const page = async (query: object) => {
    const { items, hasMore } = await pageOfTags(shards, { org: 'own', ...query }, new Map())
    return { paths: items.map((tag) => tag.path), hasMore }
  }
  return { page, paths: paths.sort((a, b) => (a < b ? -1 : 1)) }
}

describe('a page of tags', () => {
  it('comes in the order of paths, every tag once, whatever the size of the page', async () => {
    const { page, paths } = setUp()
    for (const limit of [1, 4, 5, 100]) {
      const seen: string[] = []
      for (let hasMore = true; hasMore; ) {
        const next = await page({ limit, after: seen.at(-1) })
        seen.push(...next.paths)
        hasMore = next.hasMore
      }
      expect(seen).toEqual(paths)
    }
  })

  it('keeps to the edge, by id or name, the device and the words asked for', async () => {
    const { page } = setUp()
    expect((await page({ edge: 'line-1' })).paths).toHaveLength(6)
    expect(await page({ edge: 'id-1', device: 'press', q: ' PRESSure ' })).toEqual({
      paths: ['works/line-1/press/pressure'],
      hasMore: false,
    })
    const devices = new Set(['works/line/press', 'works/line.2/press-1'])
    expect((await page({ devices, q: 'temp' })).paths).toEqual([
      'works/line.2/press-1/temperature',
      'works/line/press/temperature',
    ])
  })
})
