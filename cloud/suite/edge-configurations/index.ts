import type { Tx } from '#cloud/platform/database/database.ts'
import type { Module } from '#cloud/platform/module.ts'
import type { SuiteDeps } from '../kernel/index.ts'
import { boxConfigurationRoutes, pushRoutes, versionRoutes } from './routes.ts'
import type { Wanted } from './state.ts'
import { pushStore } from './store.ts'

export { configurationState } from './state.ts'

/** By edge, the version that it ought to run; an edge that nothing was pushed to is not in it. */
export const wantedVersions = (tx: Tx): Promise<ReadonlyMap<string, Wanted>> => pushStore(tx).wanted()

/** Wires what edges are told to be: versions, checks, pushes. */
export function edgeConfigurationsModule(deps: SuiteDeps): Module {
  return {
    name: 'edge-configurations',
    routes(app) {
      boxConfigurationRoutes(app, deps)
      versionRoutes(app, deps)
      pushRoutes(app, deps)
    },
  }
}
