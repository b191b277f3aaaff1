import { tmpdir } from 'node:os'
import type { Module } from '#cloud/platform/module.ts'
import { STAFF, type SuiteDeps } from '../kernel/index.ts'
import { createExports } from './exports.ts'
import { exportRoutes, historyRoutes } from './routes.ts'
import { createTurns, TURNS } from './turns.ts'

/** Wires stored values: questions and exports, seen with the eyes of one organisation. */
export function historyModule(deps: SuiteDeps): Module {
  const { pipeline, clock, log } = deps
  return {
    name: 'history',
    routes(app) {
      historyRoutes(app, deps, createTurns(TURNS))
      exportRoutes(app, deps, createExports({ pipeline, tempDir: tmpdir(), clock, log }))
    },
    rules: [{ name: 'staff-export-history', roles: STAFF, actions: ['history.export'], types: ['tag'] }],
  }
}
