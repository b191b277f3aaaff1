import { Bucket } from './bucket.ts'
import type { BrokerLimits } from './limits.ts'

/** Addresses are forgotten this long after their last trace. */
const SWEEP_MS = 60_000
/** A burst of this many seconds' worth of connections is let in: a plant behind one address that comes back at once. */
const BURST_SECONDS = 10

/** Why a connection is not taken. */
export type GateRefusal = 'too-many-connections' | 'too-many-of-one-address' | 'connecting-too-fast'

interface Address {
  connections: number
  readonly arrivals: Bucket
  readonly failures: Bucket
  isSuspect: boolean
}

/** Counts connections in all and by address, and who signs in in vain. */
export interface Gate {
  /** Takes a place, given back by leave(); or answers why there is none. */
  enter(address: string): GateRefusal | undefined
  leave(address: string): void
  /** Notes a wrong secret. */
  fail(address: string): void
  /** True while too many wrong secrets come from there. */
  isSuspect(address: string): boolean
  readonly connections: number
}

/** Makes the gate. `now` gives monotonic ms. */
export function connectionGate(limits: BrokerLimits, now: () => number): Gate {
  const known = new Map<string, Address>()
  let [connections, sweptAt] = [0, now()]
  const addressOf = (name: string): Address => {
    const address = known.get(name)
    if (address) return address
    const added = newAddress(limits, now())
    known.set(name, added)
    return added
  }
  return {
    get connections() {
      return connections
    },
    enter(name) {
      if (now() - sweptAt > SWEEP_MS) sweptAt = sweep(known, now())
      const address = addressOf(name)
      if (connections >= limits.connections) return 'too-many-connections'
      if (address.connections >= limits.connectionsPerAddress) return 'too-many-of-one-address'
      if (address.arrivals.take(1, now()) > 0) return 'connecting-too-fast'
      connections += 1
      address.connections += 1
      return undefined
    },
    leave(name) {
      connections -= 1
      addressOf(name).connections -= 1
    },
    fail(name) {
      const address = addressOf(name)
      address.isSuspect = address.failures.take(1, now()) > 0
    },
    isSuspect(name) {
      const address = known.get(name)
      if (!address?.isSuspect) return false
      address.isSuspect = address.failures.take(0, now()) > 0
      return address.isSuspect
    },
  }
}

const newAddress = (limits: BrokerLimits, at: number): Address => ({
  connections: 0,
  arrivals: new Bucket(limits.newConnectionsPerSecond, limits.newConnectionsPerSecond * BURST_SECONDS, at),
  failures: new Bucket(limits.failedSignIns / 60, limits.failedSignIns, at),
  isSuspect: false,
})

function sweep(known: Map<string, Address>, now: number): number {
  for (const [name, { connections, arrivals, failures }] of known) {
    if (connections === 0 && arrivals.isFull(now) && failures.isFull(now)) known.delete(name)
  }
  return now
}
