import type { Module } from '#cloud/platform/module.ts'
import type { SuiteDeps } from '../kernel/index.ts'
import { boxRoutes, certificateRoutes } from './routes.ts'

export { authorityOf } from './issue.ts'
export { type ProvedBox, proveBox } from './renew.ts'

/** Wires how boxes become known: codes, certificates, renewals, revocations. */
export function edgeCertificatesModule(deps: SuiteDeps): Module {
  return {
    name: 'edge-certificates',
    routes(app) {
      boxRoutes(app, deps)
      certificateRoutes(app, deps)
    },
    rules: [
      {
        name: 'engineers-manage-edges',
        roles: ['engineer', 'administrator'],
        actions: ['edge.manage'],
        types: ['edge'],
      },
    ],
  }
}
