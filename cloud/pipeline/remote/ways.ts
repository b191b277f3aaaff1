import { DomainError } from '#cloud/platform/errors.ts'
import type { EdgeRef } from '../contract.ts'
import type { AskingChannel } from './channel.ts'
import type { Directory } from './directory.ts'
import { away } from './link.ts'
import { type RemoteOptions, type RemotePipeline, remotePipeline } from './remote.ts'
import type { SocketAddress } from './socket.ts'

export interface WaysOptions extends Pick<RemoteOptions, 'local' | 'fanOut' | 'metrics'> {
  readonly directory: Directory
  /** Opens a way to a member. */
  readonly open: (address: SocketAddress) => Promise<AskingChannel>
}

/** A way to each member, by fence. */
export interface Ways {
  /** Resolves when the first member has answered. */
  readonly ready: Promise<void>
  all(): ReadonlyMap<string, RemotePipeline>
  /** The way to the member with this fence; undefined when it is not at work. */
  of(fence: string | null | undefined): RemotePipeline | undefined
  leave(): void
}

/** Opens a way to each member when it appears in the directory, and leaves it when it is gone from there. */
export function waysTo({ directory, open, local, metrics, fanOut }: WaysOptions): Ways {
  const ways = new Map<string, RemotePipeline>()
  const first = Promise.withResolvers<void>()
  const add = (fence: string, address: SocketAddress) => {
    const counted = metrics ? { metrics, labels: { member: fence } } : {}
    const way = remotePipeline({ open: () => open(address), local, fanOut, ...counted })
    ways.set(fence, way)
    void way.ready.then(first.resolve)
  }
  const follow = () => {
    const members = directory.members()
    const gone = [...ways].filter(([fence]) => !members.has(fence))
    for (const [fence, way] of gone) {
      ways.delete(fence)
      way.leave()
    }
    const fresh = [...members].filter(([fence]) => !ways.has(fence))
    for (const [fence, address] of fresh) add(fence, address)
  }
  directory.onChange(follow)
  follow()
  return {
    ready: first.promise,
    all: () => ways,
    of: (fence) => (fence ? ways.get(fence) : undefined),
    leave() {
      for (const way of ways.values()) way.leave()
      ways.clear()
    },
  }
}

/** The edge of a path that begins with `group/edge`. */
export const edgeOf = (path: string): EdgeRef => {
  const [group = '', edge = ''] = path.split('/', 2)
  return { group, edge }
}

/** True for a refusal with this code. */
export const hasCode = (error: unknown, code: string): boolean => error instanceof DomainError && error.code === code

/** Finds who is to be asked; what the directory says may be a moment old. */
export function routes(directory: Directory, ways: Ways) {
  /** Who has the fewest edges. */
  const idlest = (): RemotePipeline => {
    const byOwner = Map.groupBy(directory.edges(), ({ owner }) => owner ?? '')
    const countOf = (fence: string) => byOwner.get(fence)?.length ?? 0
    const [first] = [...ways.all()].sort(([a], [b]) => countOf(a) - countOf(b))
    if (!first) throw away('cannot be reached')
    return first[1]
  }
  const owner = (edge: EdgeRef): RemotePipeline => {
    const known = directory.find(edge)
    if (!known) return idlest()
    const way = ways.of(known.owner)
    if (!way) throw away(`has nobody at work for ${edge.group}/${edge.edge} just now`)
    return way
  }
  return {
    /** Its owner, for one that is known; else who has the fewest, and takes it on. */
    forNew: (edge: EdgeRef): RemotePipeline => ways.of(directory.find(edge)?.owner) ?? idlest(),
    async ofEdge<T>(edge: EdgeRef, ask: (way: RemotePipeline) => Promise<T>): Promise<T> {
      try {
        return await ask(owner(edge))
      } catch (error) {
        if (!hasCode(error, 'pipeline.not-owner')) throw error
        await directory.refresh()
        return ask(owner(edge))
      }
    },
    ofPath: async <T>(path: string, ask: (way: RemotePipeline) => Promise<T>): Promise<T> => ask(owner(edgeOf(path))),
    async ofPaths<T>(paths: readonly string[], ask: (way: RemotePipeline, own: string[]) => Promise<T>): Promise<T[]> {
      const known = paths.filter((path) => directory.find(edgeOf(path)))
      const byWay = Map.groupBy(known, (path) => owner(edgeOf(path)))
      return Promise.all([...byWay].map(([way, own]) => ask(way, own)))
    },
  }
}
