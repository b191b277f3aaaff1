/** Stops and lets go what all connections of a broker read. */
export interface Valve {
  readonly isShut: boolean
  turn(isShut: boolean): void
  /** Calls `go` once when the valve opens; the same function again is the same call. */
  whenOpen(go: () => void): void
}

/** Makes an open valve. */
export function createValve(): Valve {
  const waiting = new Set<() => void>()
  let isShut = false
  return {
    get isShut() {
      return isShut
    },
    turn(next) {
      isShut = next
      if (isShut) return
      const all = [...waiting]
      waiting.clear()
      for (const go of all) go()
    },
    whenOpen: (go) => void waiting.add(go),
  }
}
