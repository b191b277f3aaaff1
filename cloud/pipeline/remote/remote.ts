import type { HistoryReader, LiveValues, Pipeline } from '../contract.ts'
import { type LinkOptions, PipelineLink } from './link.ts'
import type { CallName, Calls } from './messages.ts'

export interface RemoteOptions extends LinkOptions {
  /** What is read here rather than asked for: committed rows and loaded files. */
  readonly local: Pick<Pipeline, 'detection' | 'profile'> & Pick<HistoryReader, 'gaps'>
}

/** A pipeline that works elsewhere. */
export interface RemotePipeline extends Pipeline {
  /** Resolves at the first hello. */
  readonly ready: Promise<void>
  /** Ends the way to the pipeline, which goes on. */
  leave(): void
}

/** Asks the pipeline at the other end of a channel; subscriptions survive the loss of the way. */
export function remotePipeline(options: RemoteOptions): RemotePipeline {
  const link = new PipelineLink(options)
  const call =
    <N extends CallName>(name: N) =>
    (...args: Parameters<Calls[N]>) =>
      link.call(name, args) as ReturnType<Calls[N]>
  const { detection, profile, gaps } = options.local
  return {
    detection,
    profile,
    history: { buckets: call('buckets'), raw: call('raw'), last: call('last'), retention: call('retention'), gaps },
    live: liveOf(link, call('present'), call('organisationOf')),
    edges: call('edges'),
    devices: call('devices'),
    tags: call('tags'),
    tag: call('tag'),
    registerEdge: call('registerEdge'),
    command: call('command'),
    get mqtt() {
      return link.mqtt
    },
    faults: () => call('faults')().catch((error: Error) => [error.message]),
    async close() {
      await link.call('close', [])
      link.leave()
    },
    ready: link.ready,
    leave: () => link.leave(),
  }
}

/** Groups keep their organisation for ever, so each is asked for once. */
function liveOf(
  link: PipelineLink,
  present: LiveValues['present'],
  organisationOf: LiveValues['organisationOf'],
): LiveValues {
  const owners = new Map<string, string>()
  return {
    present,
    current: async (path) => (await present([path]))[0],
    subscribe: (paths, listener) => link.watchers.subscribe(paths, listener),
    async organisationOf(path) {
      const group = path.slice(0, path.indexOf('/'))
      const owner = owners.get(group) ?? (await organisationOf(path))
      if (owner !== undefined) owners.set(group, owner)
      return owner
    },
  }
}
