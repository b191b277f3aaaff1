import type { EdgeRef, LiveTagValue, LiveValues } from '../contract.ts'
import type { Directory } from './directory.ts'
import type { RemotePipeline } from './remote.ts'
import { createWatchers } from './watchers.ts'
import { edgeOf } from './ways.ts'

type Way = Pick<RemotePipeline, 'live'>

interface Held {
  readonly way: Way
  readonly end: () => void
}

/** Live values of all processes: whoever looks at a tag goes on looking at it when its edge goes to another process. */
export function routedValues(
  directory: Pick<Directory, 'organisationOf' | 'onChange'>,
  wayTo: (edge: EdgeRef) => Way | undefined,
): { readonly live: LiveValues } {
  const held = new Map<string, Held>()
  const watchers = createWatchers({
    watch: (paths) => void paths.map(attach),
    unwatch(paths) {
      for (const path of paths) detach(path)
    },
  })
  const detach = (path: string) => {
    held.get(path)?.end()
    held.delete(path)
  }
  /** True when another process tells the tag's values from now on. */
  const attach = (path: string): boolean => {
    const way = wayTo(edgeOf(path))
    if (held.get(path)?.way === way) return false
    detach(path)
    if (way) held.set(path, { way, end: way.live.subscribe([path], (values) => watchers.tell(values)) })
    return true
  }
  const present = async (paths: readonly string[]): Promise<LiveTagValue[]> => {
    const byWay = Map.groupBy(paths, (path) => wayTo(edgeOf(path)))
    const asked = [...byWay].map(([way, own]) => way?.live.present(own).catch(() => []) ?? [])
    const found = new Map((await Promise.all(asked)).flat().map((value) => [value.path, value]))
    return paths.flatMap((path) => found.get(path) ?? [])
  }
  directory.onChange(() => {
    const moved = watchers.paths().filter(attach)
    if (moved.length === 0) return
    watchers.tellStale(moved)
    void present(moved).then((values) => watchers.tell(values))
  })
  return {
    live: {
      present,
      current: async (path) => (await present([path]))[0],
      subscribe: (paths, listener) => watchers.subscribe(paths, listener),
      organisationOf: async (path) => directory.organisationOf(edgeOf(path).group),
    },
  }
}
