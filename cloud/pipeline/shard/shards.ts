import type { EdgeRef } from '../contract.ts'
import type { EdgeShard } from './edge-shard.ts'
import type { LiveSources } from './live.ts'
import type { TagState } from './tag-state.ts'

/** The shards of this process, and the way to one of them by edge or by a tag's path. */
export interface Shards extends LiveSources, Iterable<EdgeShard> {
  get(ref: EdgeRef): EdgeShard | undefined
  add(shard: EdgeShard): void
  /** Hides a shard that is about to go: nothing reaches it any more, while what it wrote is still known by its keys. */
  hide(shard: EdgeShard): void
  /** Forgets a shard with its tags. */
  forget(shard: EdgeShard): void
  /** Makes a tag known by its path. */
  index(shard: EdgeShard, tag: TagState): void
  ofOrg(org: string): EdgeShard[]
  /** The tag that history knows by this key. */
  byKey(key: number): { readonly shard: EdgeShard; readonly tag: TagState } | undefined
}

/** Starts without shards. */
export function createShards(): Shards {
  const byEdge = new Map<string, EdgeShard>()
  const byPath = new Map<string, { shard: EdgeShard; tag: TagState }>()
  const byKey = new Map<number, { shard: EdgeShard; tag: TagState }>()
  const orgs = new Map<string, string>()
  const keyOf = ({ group, edge }: EdgeRef) => `${group}/${edge}`
  return {
    get: (ref) => byEdge.get(keyOf(ref)),
    add(shard) {
      byEdge.set(keyOf(shard.ref), shard)
      orgs.set(shard.ref.group, shard.org)
    },
    hide: (shard) => void byEdge.delete(keyOf(shard.ref)),
    forget(shard) {
      byEdge.delete(keyOf(shard.ref))
      for (const tag of shard.tags()) {
        if (byPath.get(tag.path)?.shard !== shard) continue
        byPath.delete(tag.path)
        byKey.delete(tag.key)
      }
    },
    index(shard, tag) {
      byPath.set(tag.path, { shard, tag })
      byKey.set(tag.key, { shard, tag })
    },
    byKey: (key) => byKey.get(key),
    find: (path) => byPath.get(path),
    organisationOf: (group) => orgs.get(group),
    ofOrg: (org) =>
      [...byEdge.values()].filter((shard) => shard.org === org).sort((a, b) => (keyOf(a.ref) < keyOf(b.ref) ? -1 : 1)),
    [Symbol.iterator]: () => byEdge.values(),
  }
}
