import type { DeviceStatus, EdgeStatus, Pipeline } from '../contract.ts'
import { pageOfTags } from '../shard/page-of-tags.ts'
import type { Shards } from '../shard/shards.ts'
import { deviceStatus, edgeStatus, tagStatus } from '../shard/views.ts'
import type { CommittedEdges } from './committed.ts'
import type { Directory } from './directory.ts'
import { away, isUnanswered } from './link.ts'
import { mergeTags } from './merge.ts'
import type { RemotePipeline } from './remote.ts'
import { edgeOf, type Ways } from './ways.ts'

export interface ListsOptions {
  readonly directory: Directory
  /** What is shown of edges whose process cannot be asked. */
  readonly committed: CommittedEdges
  readonly profiles: Parameters<typeof edgeStatus>[2]
}

/** Lists of all processes as one; edges whose process cannot be asked are in them as the tables tell them. */
export function routedLists(
  { directory, committed, profiles }: ListsOptions,
  ways: Ways,
): Pick<Pipeline, 'edges' | 'devices' | 'tags' | 'tag'> {
  /** Answers of all who can be asked, and the edges of an organisation that nobody answers for now. */
  const askAll = async <T>(org: string, ask: (way: RemotePipeline) => Promise<T>) => {
    const { answers, silent } = await askEach(ways.all(), ask)
    const owners = new Set([...ways.all().keys()].filter((fence) => !silent.has(fence)))
    const unanswered = [...directory.edges()].filter((edge) => edge.org === org && !owners.has(edge.owner ?? ''))
    const shards = unanswered.length === 0 ? undefined : await committed(unanswered.map(({ id }) => id))
    return { answers, shards }
  }
  return {
    async edges(org) {
      const { answers, shards } = await askAll(org, (way) => way.edges(org))
      return onceEach([...answers.flat(), ...committedStatuses(shards, org, profiles)])
    },
    async devices(org) {
      const { answers, shards } = await askAll(org, (way) => way.devices(org))
      return onceEach([...answers.flat(), ...committedDevices(shards, org)])
    },
    async tags(query) {
      const { answers, shards } = await askAll(query.org, (way) => way.tags(query))
      const more = shards ? [await pageOfTags(shards, query, profiles)] : []
      return mergeTags([...answers, ...more], query.limit)
    },
    async tag(path) {
      const edge = directory.find(edgeOf(path))
      const way = ways.of(edge?.owner)
      if (way) return way.tag(path)
      const found = edge && (await committed([edge.id])).find(path)
      return found && tagStatus(found.shard, found.tag, profiles)
    },
  }
}

/** Asks everybody. Throws when nobody answers, or one refuses for another reason than not answering. */
async function askEach<T>(ways: ReadonlyMap<string, RemotePipeline>, ask: (way: RemotePipeline) => Promise<T>) {
  const silent = new Set<string>()
  const answers: T[] = []
  let reason: Error = away('cannot be reached')
  const each = [...ways].map(async ([fence, way]) => {
    try {
      answers.push(await ask(way))
    } catch (error) {
      if (!isUnanswered(error)) throw error
      silent.add(fence)
      reason = error as Error
    }
  })
  await Promise.all(each)
  if (answers.length === 0) throw reason
  return { answers, silent }
}

/** An edge on its way between two processes may be told by both; the one that hears it counts. */
function onceEach<T extends (EdgeStatus | DeviceStatus) & { readonly id: string }>(items: readonly T[]): T[] {
  const byId = new Map<string, T>()
  for (const item of items) {
    const known = byId.get(item.id)
    if (!known || (known.status !== 'online' && item.status === 'online')) byId.set(item.id, item)
  }
  const nameOf = (item: T) => `${item.group}/${item.edge}/${'device' in item ? item.device : ''}`
  return [...byId.values()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}

const committedStatuses = (shards: Shards | undefined, org: string, profiles: ListsOptions['profiles']): EdgeStatus[] =>
  (shards?.ofOrg(org) ?? []).map((shard) => edgeStatus(shard, undefined, profiles))

const committedDevices = (shards: Shards | undefined, org: string): DeviceStatus[] =>
  (shards?.ofOrg(org) ?? []).flatMap((shard) =>
    [...shard.devices.values()].map((device) => deviceStatus(shard, device)),
  )
