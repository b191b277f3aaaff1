import { setImmediate } from 'node:timers/promises'
import { createListeners, type FanOut } from './fanout.ts'

/** The fan-out of a process that is alone: nothing to install, nothing is missed. */
export function inProcessFanOut(): FanOut {
  const listeners = createListeners()
  return {
    async publish(channel, message) {
      await setImmediate()
      listeners.tell(channel, message)
    },
    subscribe(channel, hear) {
      const { remove } = listeners.add(channel, hear)
      return () => void remove()
    },
    onMissed: () => () => undefined,
    fault: () => undefined,
    async close() {
      listeners.clear()
    },
  }
}
