import type { Module } from '#cloud/platform/module.ts'
import type { SuiteDeps } from '../kernel/index.ts'
import { importSeed } from './import.ts'

export { importSeed } from './import.ts'

/** Imports the organisation file before anything reaches the other modules. */
export function seedModule(deps: SuiteDeps): Module {
  const { seed } = deps
  return {
    name: 'seed',
    async start() {
      if (seed) await importSeed(deps, seed)
    },
  }
}
