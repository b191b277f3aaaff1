import type { Module } from '#cloud/platform/module.ts'
import { STAFF } from '../kernel/index.ts'
import { deviceCommands } from './commands.ts'
import { gapRoutes } from './gaps.ts'
import { commandRoutes, type EdgeDeps, fleetRoutes, tagRoutes } from './routes.ts'

export { gapView } from './view.ts'

/** Wires the fleet: what the machine side knows, seen with the eyes of one organisation. */
export function edgesModule(deps: EdgeDeps): Module {
  return {
    name: 'edges',
    routes(app) {
      fleetRoutes(app, deps)
      gapRoutes(app, deps)
      tagRoutes(app, deps)
      commandRoutes(app, deviceCommands(deps))
    },
    rules: [
      { name: 'staff-see-edges', roles: STAFF, actions: ['edge.view', 'tag.view'] },
      {
        name: 'engineers-register-edges',
        roles: ['engineer', 'administrator'],
        actions: ['edge.register'],
        types: ['edge'],
      },
      {
        name: 'engineers-command-devices',
        roles: ['engineer', 'administrator'],
        actions: ['device.command'],
        types: ['device'],
      },
    ],
  }
}
