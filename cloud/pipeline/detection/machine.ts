import type { MachineState } from '#shared/contracts/machine-state.ts'
import type { Scalar } from '#shared/contracts/sample.ts'
import type { DetectionEdge } from './contract.ts'
import type { MachineMemory } from './tables.ts'
import type { MachineRow } from './work.ts'

/** The present interval of a machine. */
export interface MachineInterval {
  readonly state: MachineState
  readonly since: number
}

/** What one machine does, from its state tag. Times in ms since 1970. */
export interface Machine {
  /** Takes the states of a (newer) profile. */
  define(states: Readonly<Record<string, MachineState>>): void
  /** A value of the state tag, at event time; values that are not newer, or that the profile does not name, change nothing. */
  value(at: number, value: Scalar): void
  /** The edge is silent or the device dead: no data from then on. */
  silent(at: number): void
  /** It speaks again: what it last told holds from then on. */
  heard(at: number): void
  memory(): MachineMemory | undefined
}

export interface MachineOptions {
  readonly edge: DetectionEdge
  readonly device: string
  readonly present: MachineInterval | undefined
  readonly memory: MachineMemory | undefined
  readonly changed: (row: MachineRow) => void
}

/** Goes on from the stored present interval. Intervals never overlap: an earlier time than their begin replaces the state from there. */
export function createMachine({ edge, device, present, memory, changed }: MachineOptions): Machine {
  let states: Readonly<Record<string, MachineState>> = {}
  let now = present
  let valueAt = memory?.valueAt ?? Number.NEGATIVE_INFINITY
  let told = memory?.told ?? null

  const become = (state: MachineState, at: number) => {
    if (now?.state === state) return
    const since = now ? Math.max(at, now.since) : at
    const before = now
    now = { state, since }
    const { org, group } = edge
    changed({ org, group, edge: edge.edge, device, state, previous: before?.state ?? null, at: since })
  }

  return {
    define(next) {
      states = next
    },
    value(at, value) {
      if (at <= valueAt) return
      valueAt = at
      const state = states[String(value)]
      if (!state) return
      told = state
      become(state, at)
    },
    silent(at) {
      if (now) become('no-data', at)
    },
    heard(at) {
      if (told && now?.state === 'no-data') become(told, at)
    },
    memory: () => (Number.isFinite(valueAt) ? { valueAt, told } : undefined),
  }
}
