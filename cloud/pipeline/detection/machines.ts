import type { EdgeOptions } from './edge-options.ts'
import { createMachine, type Machine } from './machine.ts'
import type { MachineMemory } from './tables.ts'
import type { MachineRow } from './work.ts'

/** The machines of an edge, as commits see them. */
export class Machines {
  readonly #options: EdgeOptions
  readonly #known = new Map<string, Machine>()
  #rows: MachineRow[] = []
  /** Memory as the last commit wrote it. */
  #written = ''

  constructor(options: EdgeOptions) {
    this.#options = options
  }

  /** True while a change of state waits for its commit. */
  get hasRows(): boolean {
    return this.#rows.length > 0
  }

  /** The machine of a device, made when it is new. */
  of(device: string): Machine {
    const known = this.#known.get(device)
    if (known) return known
    const { edge, machines, memory, urgent } = this.#options
    const machine = createMachine({
      ...{ edge, device, present: machines.get(device), memory: memory?.machines[device] },
      changed: (row) => {
        this.#rows.push(row)
        urgent()
      },
    })
    this.#known.set(device, machine)
    return machine
  }

  /** Changes of state since the last call. */
  takeRows(): readonly MachineRow[] {
    const rows = this.#rows
    this.#rows = []
    return rows
  }

  /** What machines remember, by device; undefined while it is as the last call told. */
  takeMemory(): Record<string, MachineMemory> | undefined {
    const told = [...this.#known].flatMap(([name, machine]) => {
      const memory = machine.memory()
      return memory ? [[name, memory] as const] : []
    })
    const machines = { ...this.#options.memory?.machines, ...Object.fromEntries(told) }
    const text = JSON.stringify(machines)
    if (text === this.#written) return undefined
    this.#written = text
    return machines
  }
}
