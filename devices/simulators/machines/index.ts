import type { MachineModel } from '#shared/contracts/plant.ts'
import type { Machine } from '../machine.ts'
import type { Random } from '../random.ts'
import { createCompressor } from './compressor.ts'
import { createCounters, createPulses } from './counters.ts'
import { createEnergyMeter } from './energy-meter.ts'
import { createLaminator } from './laminator.ts'
import { createReactor } from './reactor.ts'
import { createSolarInverter } from './solar-inverter.ts'
import { createStringer } from './stringer.ts'

/** What a machine starts with. */
export interface Beginning {
  readonly random: Random
  /** ms since 1970. */
  readonly startedAt: number
}

/** Makes the machine that a plant file names. `tags` are those that no recording feeds. */
export function createMachine(model: MachineModel, tags: readonly string[], of: Beginning): Machine {
  const { random, startedAt } = of
  switch (model.model) {
    case 'compressor':
      return createCompressor(model, random)
    case 'reactor':
      return createReactor()
    case 'laminator':
      return createLaminator(model, random)
    case 'stringer':
      return createStringer(model, random)
    case 'solar-inverter':
      return createSolarInverter(model, random)
    case 'energy-meter':
      return createEnergyMeter(model, random)
    case 'counters':
      return createCounters(tags, startedAt)
    case 'pulses':
      return createPulses(tags, model, random)
  }
}
