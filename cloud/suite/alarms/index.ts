import type { Module } from '#cloud/platform/module.ts'
import { STAFF } from '../kernel/index.ts'
import { alarmCommands } from './act.ts'
import { alarmActRoutes, alarmReadRoutes } from './routes.ts'
import type { AlarmDeps } from './view.ts'

/** Wires the alarm list. The state itself is written by the shard alone. */
export function alarmsModule(deps: AlarmDeps): Module {
  const commands = alarmCommands(deps)
  const types = ['alarm']
  return {
    name: 'alarms',
    routes(app) {
      alarmReadRoutes(app, deps)
      alarmActRoutes(app, deps, commands)
    },
    rules: [
      { name: 'staff-see-alarms', roles: STAFF, actions: ['alarm.view'] },
      {
        name: 'operators-handle-alarms',
        roles: ['operator', 'lead', 'engineer', 'technician'],
        actions: ['alarm.acknowledge', 'alarm.confirm', 'alarm.reset'],
        types,
      },
      {
        name: 'operators-shelve-alarms',
        roles: ['operator', 'lead', 'engineer'],
        actions: ['alarm.shelve', 'alarm.unshelve'],
        types,
      },
    ],
  }
}
