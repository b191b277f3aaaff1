import type { HistoryReader } from '../contract.ts'
import { away, NOWHERE } from './link.ts'
import { mergeBuckets } from './merge.ts'
import type { RemotePipeline } from './remote.ts'
import { type ListsOptions, routedLists } from './routed-lists.ts'
import { routedValues } from './routed-values.ts'
import { routes, type WaysOptions, waysTo } from './ways.ts'

export type RouterOptions = WaysOptions & ListsOptions

/** The machine side of several processes as one: each question goes to who has the edge, lists are put together. */
export function routedPipeline(options: RouterOptions): RemotePipeline {
  const { directory, local, fanOut } = options
  const ways = waysTo(options)
  const route = routes(directory, ways)
  const values = routedValues(directory, (edge) => ways.of(directory.find(edge)?.owner))
  return {
    ...{ detection: local.detection, profile: local.profile, live: values.live },
    history: historyOf(route, local.gaps),
    ...routedLists(options, ways),
    async registerEdge(input) {
      const status = await route.forNew(input).registerEdge(input)
      // The next question is sent to who has it, and the next new edge to another one.
      await directory.refresh()
      return status
    },
    command: (command) => route.ofEdge(command.edge, (way) => way.command(command)),
    get mqtt() {
      const all = [...ways.all().values()].map(({ mqtt }) => mqtt)
      return all.find(({ url }) => url !== '') ?? NOWHERE
    },
    async faults() {
      const all = [...ways.all().values()]
      if (all.length === 0) return [away('cannot be reached').message]
      const told = await Promise.all(all.map((way) => way.faults()))
      return [...new Set([...told.flat(), fanOut?.fault() ?? []].flat())]
    },
    ready: ways.ready,
    leave: () => ways.leave(),
    close: async () => ways.leave(),
  }
}

function historyOf(route: ReturnType<typeof routes>, gaps: HistoryReader['gaps']): HistoryReader {
  return {
    gaps,
    raw: (query) => route.ofPath(query.path, (way) => way.history.raw(query)),
    async buckets(query) {
      const parts = await route.ofPaths(query.paths, (way, paths) => way.history.buckets({ ...query, paths }))
      return mergeBuckets(query.paths, parts)
    },
    last: async (paths, before) => (await route.ofPaths(paths, (way, own) => way.history.last(own, before))).flat(),
    retention: async (paths) => (await route.ofPaths(paths, (way, own) => way.history.retention(own))).flat(),
  }
}
