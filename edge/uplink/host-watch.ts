import { readState } from '#shared/sparkplug/host-state.ts'
import { parseTopic } from '#shared/sparkplug/topics.ts'

/** Follows the STATE of a primary host. Without one the host counts as online. */
export interface HostWatch {
  /** Resolves when the host is online. */
  readonly online: Promise<void>
  readonly isOnline: boolean
  /** A message of the broker; others than this host's STATE are left alone. */
  receive(topic: string, payload: Uint8Array): void
}

/** Time of the newest STATE that a server told; it outlives the connections to it. */
export interface HostMemory {
  newest: number
}

export interface HostWatchOptions {
  readonly host: string | undefined
  readonly memory: HostMemory
  readonly now: () => number
  /** Called when the host says that it is offline, with whether it was online. */
  readonly onOffline: (wasOnline: boolean) => void
}

/** Clocks of hosts differ by less, or are wrong. */
const CREDIBLE_AHEAD_MS = 60_000

/** A STATE older than one before it is ignored, unless the host's clock was ahead then and has been set since. */
export function createHostWatch({ host, memory, now, onOffline }: HostWatchOptions): HostWatch {
  const online = Promise.withResolvers<void>()
  let isOnline = host === undefined
  if (isOnline) online.resolve()
  const isStale = (timestamp: number) => timestamp < memory.newest && memory.newest <= now() + CREDIBLE_AHEAD_MS
  return {
    online: online.promise,
    get isOnline() {
      return isOnline
    },
    receive: (topic, payload) => {
      const parsed = parseTopic(topic)
      if (host === undefined || parsed?.message !== 'STATE' || parsed.host !== host) return
      const state = readState(payload)
      if (!state || isStale(state.timestamp)) return
      memory.newest = state.timestamp
      if (state.online) online.resolve()
      else onOffline(isOnline)
      isOnline = state.online
    },
  }
}
