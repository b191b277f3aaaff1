import type { Tx } from '#cloud/platform/database/database.ts'
import { found } from '#cloud/platform/errors.ts'
import type { Module } from '#cloud/platform/module.ts'
import type { Incident, TimelineEntry } from '#shared/contracts/incident.ts'
import { type CardSource, NOBODY, plain } from '../kernel/index.ts'
import { type IncidentCommands, incidentCommands } from './commands.ts'
import type { IncidentDeps } from './deps.ts'
import { incidentHandlers } from './handlers.ts'
import { incidentOffers } from './offers.ts'
import { incidentActRoutes, incidentReadRoutes } from './routes.ts'
import { INCIDENT_RULES } from './rules.ts'
import { OPEN_STATES } from './state.ts'
import { type FullIncidentRow, type IncidentAlarmRow, incidentStore, type ResponderRow } from './store.ts'
import { timelineOf } from './timeline.ts'
import { clocksOf } from './view.ts'

export { TARGET_SECONDS } from './clocks.ts'
export type { IncidentDeps, IncidentLinks } from './deps.ts'
export { firstOutOrder } from './grouping.ts'
export type { FullIncidentRow, IncidentAlarmRow, ResponderRow } from './store.ts'

/** Incidents, as other modules ask for them. */
export interface Incidents {
  readonly module: Module
  readonly cards: CardSource
  /** What people do to incidents, for other modules' events. */
  readonly commands: IncidentCommands
  find(tx: Tx, id: string): Promise<FullIncidentRow | undefined>
  alarms(tx: Tx, id: string): Promise<IncidentAlarmRow[]>
  responders(tx: Tx, id: string): Promise<ResponderRow[]>
  clocks(tx: Tx, row: FullIncidentRow): Promise<Incident['clocks']>
  timeline(tx: Tx, row: FullIncidentRow): Promise<TimelineEntry[]>
  /** Other incidents of the asset group, newest first. */
  similar(tx: Tx, row: FullIncidentRow): Promise<FullIncidentRow[]>
  /** Open incidents by asset. */
  openCounts(tx: Tx): Promise<ReadonlyMap<string, number>>
  /** The incident of each occurrence that belongs to one. */
  ofOccurrences(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, OccurrenceIncident>>
}

/** Where an occurrence belongs. */
export interface OccurrenceIncident {
  readonly id: string
  readonly number: string
  readonly isFirstOut: boolean
}

/** Wires incidents. */
export function createIncidents(deps: IncidentDeps): Incidents {
  const commands = incidentCommands(deps)
  return {
    commands,
    ...questions(deps),
    cards: incidentCards(deps),
    module: {
      name: 'incidents',
      routes(app) {
        incidentReadRoutes(app, deps)
        incidentActRoutes(app, deps, commands)
      },
      handlers: incidentHandlers(deps, commands),
      rules: INCIDENT_RULES,
    },
  }
}

function questions(deps: IncidentDeps) {
  return {
    find: (tx: Tx, id: string) => incidentStore(tx).find(id),
    alarms: (tx: Tx, id: string) => incidentStore(tx).alarms([id]),
    responders: (tx: Tx, id: string) => incidentStore(tx).responders([id]),
    clocks: (tx: Tx, row: FullIncidentRow) => clocksOf(deps, tx, row),
    timeline: (tx: Tx, row: FullIncidentRow) => timelineOf(deps, tx, row),
    async similar(tx: Tx, row: FullIncidentRow) {
      const rows = await incidentStore(tx).list({ assetIds: [row.asset_id], beforeId: row.id, limit: 5 })
      return rows.filter((other) => other.id !== row.id)
    },
    openCounts: (tx: Tx) => incidentStore(tx).countsByAsset(OPEN_STATES),
    async ofOccurrences(tx: Tx, ids: readonly string[]) {
      const rows = await incidentStore(tx).incidentsOf(ids)
      return new Map(
        rows.map((row) => [row.occurrence_id, { id: row.id, number: row.number ?? '', isFirstOut: row.is_first_out }]),
      )
    },
  }
}

function incidentCards(deps: IncidentDeps): CardSource {
  return {
    type: 'incident',
    async card(tx, actor, id) {
      const store = incidentStore(tx)
      const row = found(await store.find(id), 'incident', id)
      const { number, title, state, revision } = row
      const accepted = (await store.responders([id])).filter((r) => r.accepted_at !== null)
      const people = await deps.directory.refs(
        tx,
        accepted.map((r) => r.person_id),
      )
      const who = accepted.flatMap((r) => people.get(r.person_id)?.name ?? []).join(', ')
      return {
        record: { id, type: 'incident', number, title, state, revision },
        fields: [
          { key: 'severity', value: row.severity },
          { key: 'startedAt', value: row.started_at.toISOString() },
          ...(who ? [{ key: 'acceptedBy', value: plain(who) }] : []),
        ],
        href: `/incidents/${number ?? id}`,
        actions: incidentOffers(deps.door, actor, row, await store.responder(id, actor.id ?? NOBODY)),
      }
    },
  }
}
