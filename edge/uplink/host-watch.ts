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

/** `onOffline` is called when the host says that it is offline, with whether it was online; a stale message is ignored. */
export function createHostWatch(host: string | undefined, onOffline: (wasOnline: boolean) => void): HostWatch {
  const online = Promise.withResolvers<void>()
  let isOnline = host === undefined
  let newest = Number.NEGATIVE_INFINITY
  if (isOnline) online.resolve()
  return {
    online: online.promise,
    get isOnline() {
      return isOnline
    },
    receive: (topic, payload) => {
      const parsed = parseTopic(topic)
      if (host === undefined || parsed?.message !== 'STATE' || parsed.host !== host) return
      const state = readState(payload)
      if (!state || state.timestamp < newest) return
      newest = state.timestamp
      if (state.online) online.resolve()
      else onOffline(isOnline)
      isOnline = state.online
    },
  }
}
