import { Type } from 'typebox'

/** What a machine does, in the console's words. `no-data` is never reported by a machine: it follows from silence. */
export const MACHINE_STATES = [
  'running',
  'idle',
  'starved',
  'blocked',
  'set-up',
  'planned-stop',
  'maintenance',
  'unplanned-stop',
  'no-data',
] as const
export const MachineState = Type.Enum(MACHINE_STATES)
export type MachineState = (typeof MACHINE_STATES)[number]
