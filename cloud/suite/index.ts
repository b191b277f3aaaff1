import type { Module } from '#cloud/platform/module.ts'
import { alarmsModule } from './alarms/index.ts'
import { createAssets } from './assets/index.ts'
import { chatModule } from './chat/index.ts'
import { createDirectory } from './directory/index.ts'
import { edgeCertificatesModule } from './edge-certificates/index.ts'
import { edgeConfigurationsModule } from './edge-configurations/index.ts'
import { edgesModule } from './edges/index.ts'
import { historyModule } from './history/index.ts'
import { createIncidents, type IncidentLinks, type Incidents } from './incidents/index.ts'
import { kernelModule, type SuiteDeps } from './kernel/index.ts'
import { createNotifications } from './notifications/index.ts'
import { createOnCall, type OnCall } from './on-call/index.ts'
import { createRetros, retroOf } from './retros/index.ts'
import { seedModule } from './seed/index.ts'
import { createWorkOrders, ordersOf } from './work-orders/index.ts'

export type { SeedOptions, SuiteDeps } from './kernel/index.ts'

/** What points to an incident is asked of the modules that own it, so that incidents need not know them. */
const links: IncidentLinks = {
  async workOrderNumbers(tx, ids) {
    const byIncident = Map.groupBy(await ordersOf(tx, ids), (order) => order.incident_id ?? '')
    return new Map([...byIncident].map(([id, orders]) => [id, orders.flatMap((order) => order.number ?? [])]))
  },
  workOrderIds: async (tx, id) => (await ordersOf(tx, [id])).map((order) => order.id),
  retroId: retroOf,
}

/** Wires every module of the suite. Those that ask each other both ways are joined by a question handed in here. */
export function suiteModules(deps: SuiteDeps): readonly Module[] {
  const directory = createDirectory(deps, (tx, at) => onCall.onDuty(tx, at))
  const onCall: OnCall = createOnCall(deps, directory)
  const assets = createAssets(deps, directory, (tx) => incidents.openCounts(tx))
  const notifications = createNotifications(deps, directory, onCall)
  const incidents: Incidents = createIncidents({ ...deps, directory, assets, onCall, notifications, links })
  const wired = { ...deps, directory, assets, incidents }
  const workOrders = createWorkOrders(wired)
  const retros = createRetros(wired)
  return [
    seedModule(deps),
    directory.module,
    onCall.module,
    assets.module,
    chatModule(deps, directory),
    notifications.module,
    incidents.module,
    alarmsModule(wired),
    edgesModule(wired),
    edgeCertificatesModule(deps),
    edgeConfigurationsModule(deps),
    historyModule(wired),
    workOrders.module,
    retros.module,
    kernelModule(deps, [assets.cards, incidents.cards, workOrders.cards, retros.cards]),
  ]
}
