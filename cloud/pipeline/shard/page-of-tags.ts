import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { TagPage, TagQuery, TagStatus } from '../contract.ts'
import type { EdgeShard } from './edge-shard.ts'
import type { Shards } from './shards.ts'
import type { DeviceState, TagState } from './tag-state.ts'
import { tagStatus } from './views.ts'

const DEFAULT_LIMIT = 100
/** Devices looked through before messages get their turn: a search over a million tags must not hold them up. */
const DEVICES_A_TURN = 20

type Profiles = ReadonlyMap<string, DeviceProfile>

/** One page of tags in the order of their paths, found without building a list of all. */
export async function pageOfTags(shards: Shards, query: TagQuery, profiles: Profiles): Promise<TagPage> {
  const { limit = DEFAULT_LIMIT } = query
  const found: TagStatus[] = []
  let looked = 0
  for (const [shard, device] of devicesOf(shards, query)) {
    const tags = tagsOf(device, query).map((tag) => tagStatus(shard, tag, profiles))
    found.push(...tags.filter((tag) => isFoundBy(tag, query.q)))
    if (found.length > limit) break
    looked += 1
    if (looked % DEVICES_A_TURN === 0) await nextTurn()
  }
  return { items: found.slice(0, limit), hasMore: found.length > limit }
}

/** Ends in a slash, so that its order is that of the paths below it: `a-1/x` comes before `a/x`. */
const folderOf = ({ ref }: EdgeShard) => `${ref.group}/${ref.edge}/`

function* devicesOf(shards: Shards, query: TagQuery): Generator<readonly [EdgeShard, DeviceState]> {
  const { edge, after = '' } = query
  const own = shards.ofOrg(query.org).filter((shard) => !edge || shard.id === edge || shard.ref.edge === edge)
  for (const [folder, shard] of inOrder(own, folderOf)) {
    if (isPassed(folder, after)) continue
    for (const [path, device] of inOrder([...shard.devices.values()], (one) => `${folder}${one.device}/`)) {
      if (!isPassed(path, after) && isWanted(device, path, query)) yield [shard, device]
    }
  }
}

const inOrder = <T>(items: readonly T[], keyOf: (item: T) => string) =>
  items.map((item) => [keyOf(item), item] as const).sort(([a], [b]) => (a < b ? -1 : 1))

/** True when every path of the folder comes before. */
const isPassed = (folder: string, after: string) => folder < after && !after.startsWith(folder)

const isWanted = ({ device }: DeviceState, folder: string, query: TagQuery) =>
  (!query.device || device === query.device) && (!query.devices || query.devices.has(folder.slice(0, -1)))

const tagsOf = (device: DeviceState, { after = '' }: TagQuery): TagState[] =>
  [...device.tags.values()].filter(({ path }) => path > after).sort((a, b) => (a.path < b.path ? -1 : 1))

function isFoundBy({ path, name }: TagStatus, words: string | undefined): boolean {
  const wanted = words?.trim().toLowerCase()
  return !wanted || [path, name.en, name['zh-CN']].some((text) => text.toLowerCase().includes(wanted))
}
