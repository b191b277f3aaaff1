import type { LiveTagValue, LiveValues } from '../contract.ts'
import type { EdgeShard } from './edge-shard.ts'
import { liveValue, type TagState } from './tag-state.ts'

type Listener = (values: readonly LiveTagValue[]) => void

/** The live values of all shards of this process, with the people who look at some of them. */
export interface LiveCache extends LiveValues {
  /** Tells listeners that tags of one edge have changed; tags that are new become known to those who waited for them. */
  publish(shard: EdgeShard, changed: Iterable<TagState>): void
}

export interface LiveSources {
  /** The shard and the tag of a path. */
  find(path: string): { readonly shard: EdgeShard; readonly tag: TagState } | undefined
  organisationOf(group: string): string | undefined
}

/** Makes the live values over the shards; costs nothing per message while nobody listens. */
export function liveCache(sources: LiveSources): LiveCache {
  const byPath = new Map<string, Set<Listener>>()
  const leave = (path: string, listener: Listener) => {
    const listeners = byPath.get(path)
    listeners?.delete(listener)
    if (listeners?.size !== 0) return
    byPath.delete(path)
    mark(sources.find(path)?.tag, false)
  }
  const newestOf = (path: string) => {
    const found = sources.find(path)
    return found && liveValue(found.tag, found.shard.isSilent)
  }
  return {
    current: async (path) => newestOf(path),
    present: async (paths) => paths.flatMap((path) => newestOf(path) ?? []),
    organisationOf: async (path) => sources.organisationOf(path.slice(0, path.indexOf('/'))),
    subscribe(paths, listener) {
      const own: Listener = (values) => listener(values)
      const wanted = [...new Set(paths)]
      for (const path of wanted) {
        const listeners = byPath.get(path) ?? new Set()
        byPath.set(path, listeners.add(own))
        mark(sources.find(path)?.tag, true)
      }
      return () => {
        for (const path of wanted) leave(path, own)
      }
    },
    publish(shard, changed) {
      if (byPath.size === 0) return
      const batches = new Map<Listener, LiveTagValue[]>()
      for (const tag of changed) {
        const listeners = byPath.get(tag.path)
        if (!listeners) continue
        mark(tag, true)
        collect(batches, listeners, liveValue(tag, shard.isSilent))
      }
      for (const [listener, values] of batches) listener(values)
    },
  }
}

/** The data path asks the tag's column, not the map of paths, whether somebody looks. */
function mark(tag: TagState | undefined, isShown: boolean): void {
  if (tag) tag.device.columns.shown[tag.place] = isShown ? 1 : 0
}

function collect(batches: Map<Listener, LiveTagValue[]>, listeners: ReadonlySet<Listener>, value: LiveTagValue): void {
  for (const listener of listeners) {
    const batch = batches.get(listener)
    if (batch) batch.push(value)
    else batches.set(listener, [value])
  }
}
