import type { Module } from '#cloud/platform/module.ts'
import type { SuiteDeps } from '../kernel/index.ts'
import { importSeed } from './import.ts'
import { type Registering, registerEdges } from './register-edges.ts'

/** Imports the organisation file before anything reaches the other modules. */
export function seedModule(deps: SuiteDeps): Module {
  const { seed, pipeline, log } = deps
  let registering: Registering | undefined
  return {
    name: 'seed',
    async start() {
      if (!seed) return
      const edges = await importSeed(deps, seed)
      registering = await registerEdges({ pipeline, edges, file: seed.file, log })
    },
    faults: () => registering?.faults() ?? [],
    stop: async () => registering?.stop(),
  }
}
