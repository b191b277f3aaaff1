import type { MachineCommand } from '#shared/contracts/plant.ts'
import type { Scalar } from '#shared/contracts/sample.ts'

/** What a machine sees of the plant around it. */
export interface Surroundings {
  /** Value that a recording feeds to a tag of this machine now; undefined when none does. */
  replayed(tag: string): number | undefined
  /** Electric power that all other machines draw, in kW. */
  loadKw(): number
  /** Electric power that the plant's inverters feed in, in kW. */
  solarKw(): number
}

/** A simulated machine: state that moves by steps of plant time, read as engineering values by tag. */
export interface Machine {
  /** Moves the machine by so many seconds of plant time. */
  step(seconds: number, around: Surroundings): void
  /** Every tag that the machine feeds, in engineering units; null is a value the device cannot give. */
  read(): Readonly<Record<string, Scalar>>
  command(command: MachineCommand): void
  /** A client wrote a tag; the value is in engineering units. */
  write(tag: string, value: Scalar): void
  /** Draw in kW now; negative feeds in. */
  powerKw(): number
  /** Holding registers that never change and belong to no tag, by address. */
  readonly registers?: Readonly<Record<number, number>>
}

/** Codes of the state register that all machines of the factory but the inverter use. */
export const STATE = {
  off: 0,
  running: 1,
  idle: 2,
  starved: 3,
  blocked: 4,
  setUp: 5,
  maintenance: 6,
  fault: 7,
} as const
export type StateCode = (typeof STATE)[keyof typeof STATE]

const COMMANDED: Readonly<Record<MachineCommand, StateCode>> = {
  start: STATE.running,
  stop: STATE.off,
  trip: STATE.fault,
  maintenance: STATE.maintenance,
}

/** The state code that a command leads to. */
export const stateAfter = (command: MachineCommand): StateCode => COMMANDED[command]
