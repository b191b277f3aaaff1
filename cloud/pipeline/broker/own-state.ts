import type { Broker, HostState } from './broker.ts'
import { statePayload, stateTopic } from './state.ts'

/** The STATE of a host in the broker's own process, which sends no CONNECT and has no will: broker and host die together. */
export function ownState(
  publish: Broker['publish'],
  clock: () => number,
): Pick<Broker, 'holdState' | 'releaseState' | 'yieldState' | 'watchState'> {
  const last = new Map<string, HostState>()
  const watchers = new Map<string, ((state: HostState) => void)[]>()
  let held: string | undefined
  const tell = async (hostId: string, online: boolean) => {
    const state = { online, timestamp: clock() }
    last.set(hostId, state)
    for (const hear of watchers.get(hostId) ?? []) hear(state)
    await publish(stateTopic(hostId), statePayload(state), { qos: 1, retain: true })
  }
  return {
    async holdState(hostId) {
      held = hostId
      await tell(hostId, true)
    },
    async releaseState() {
      const hostId = held
      held = undefined
      if (hostId !== undefined) await tell(hostId, false)
    },
    async yieldState() {
      held = undefined
    },
    async watchState(hostId, hear) {
      watchers.set(hostId, [...(watchers.get(hostId) ?? []), hear])
      const state = last.get(hostId)
      if (state) hear(state)
    },
  }
}
