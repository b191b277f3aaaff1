import { type Selectable, sql, type Updateable } from 'kysely'
import { asJson, type Tx } from '#cloud/platform/database/database.ts'
import type { JsonColumn } from '#cloud/platform/database/tables.ts'
import type { IncidentState } from '#shared/contracts/incident.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'

import { NOBODY } from '../kernel/index.ts'

interface IncidentsTable {
  id: string
  org_id: string
  severity: string
  priority: string
  asset_id: string
  group_asset_id: string
  channel_id: string
  trades: string[]
  started_at: Date
  last_activated_at: Date
  opened_at: Date
  stopped_at: Date | null
  detected_at: Date
  notified_at: Date | null
  acknowledged_at: Date | null
  acknowledged_by: string | null
  accepted_at: Date | null
  accepted_by: string | null
  arrived_at: Date | null
  arrived_by: string | null
  contained_at: Date | null
  contained_by: string | null
  restored_at: Date | null
  restored_by: string | null
  restore_proof: 'state-tag' | 'hand' | null
  restore_reason: string | null
  closed_at: Date | null
}

interface IncidentAlarmsTable {
  occurrence_id: string
  org_id: string
  incident_id: string
  alarm_id: string
  name: JsonColumn<LocalizedText>
  priority: string
  tag_path: string
  level: string | null
  value: JsonColumn<number | boolean | string | null>
  setpoint: number | null
  activated_at: Date
  returned_at: Date | null
}

interface RespondersTable {
  incident_id: string
  org_id: string
  person_id: string
  trade: string | null
  page_id: string | null
  paged_at: Date | null
  delivered_at: Date | null
  seen_at: Date | null
  accepted_at: Date | null
  eta_minutes: number | null
  arrived_at: Date | null
  declined_at: Date | null
  decline_reason: string | null
}

type Tables = {
  incidents: IncidentsTable
  incident_alarms: IncidentAlarmsTable
  incident_responders: RespondersTable
}

export type IncidentRow = Selectable<IncidentsTable>
export type IncidentAlarmRow = Selectable<IncidentAlarmsTable>
/** An alarm before it stands in an incident. */
export type NewAlarm = Omit<IncidentAlarmRow, 'org_id' | 'incident_id'>
export type ResponderRow = Selectable<RespondersTable>
export type ResponderChange = Updateable<RespondersTable>

/** Filters of the incident list; all that are given hold. */
export interface IncidentFilter {
  readonly ids?: readonly string[]
  readonly states?: readonly string[]
  readonly assetIds?: readonly string[]
  readonly personId?: string
  readonly beforeId?: string
  readonly limit: number
}

/** All SQL of incidents, in the caller's transaction. */
export const incidentStore = (tx: Tx) => ({ ...incidentQueries(tx), ...alarmQueries(tx), ...responderQueries(tx) })

const withRecord = (tx: Tx) =>
  tx
    .withTables<Tables>()
    .selectFrom('incidents')
    .innerJoin('records', 'records.id', 'incidents.id')
    .selectAll('incidents')
    .select(['records.number', 'records.title', 'records.revision', 'records.cause_id'])
    .select((eb) => eb.ref('records.state').$castTo<IncidentState>().as('state'))

export type FullIncidentRow = Awaited<ReturnType<ReturnType<typeof withRecord>['execute']>>[number]

function incidentQueries(tx: Tx) {
  const db = tx.withTables<Tables>()
  return {
    find: (id: string) => withRecord(tx).where('incidents.id', '=', id).executeTakeFirst(),
    /** Newest first; ids are made in time order. */
    list: (filter: IncidentFilter) =>
      filtered(tx, filter).orderBy('incidents.id', 'desc').limit(filter.limit).execute(),
    /** Incidents of an asset group that have not ended. */
    ofGroup: (groupId: string) =>
      withRecord(tx)
        .where('incidents.group_asset_id', '=', groupId)
        .where('incidents.closed_at', 'is', null)
        .orderBy('incidents.id')
        .execute(),
    async countsByAsset(states: readonly string[]) {
      const rows = await db
        .selectFrom('incidents')
        .innerJoin('records', 'records.id', 'incidents.id')
        .select(['incidents.asset_id', sql<string>`count(*)`.as('n')])
        .where('records.state', 'in', [...states])
        .groupBy('incidents.asset_id')
        .execute()
      return new Map(rows.map((row) => [row.asset_id, Number(row.n)]))
    },
    add: (row: IncidentRow) => db.insertInto('incidents').values(row).execute(),
    set: (id: string, change: Updateable<IncidentsTable>) =>
      db.updateTable('incidents').set(change).where('id', '=', id).execute(),
  }
}

function filtered(tx: Tx, { ids, states, assetIds, personId, beforeId }: IncidentFilter) {
  return withRecord(tx)
    .$if(ids !== undefined, (q) => q.where('incidents.id', 'in', [...(ids ?? []), NOBODY]))
    .$if(states !== undefined, (q) => q.where('records.state', 'in', [...(states ?? [])]))
    .$if(assetIds !== undefined, (q) => q.where('incidents.asset_id', 'in', [...(assetIds ?? []), NOBODY]))
    .$if(beforeId !== undefined, (q) => q.where('incidents.id', '<', beforeId ?? ''))
    .$if(personId !== undefined, (q) => q.where('incidents.id', 'in', respondedBy(tx, personId ?? '')))
}

function respondedBy(tx: Tx, personId: string) {
  return tx
    .withTables<Tables>()
    .selectFrom('incident_responders')
    .select('incident_id')
    .where('person_id', '=', personId)
}

function alarmQueries(tx: Tx) {
  const db = tx.withTables<Tables>()
  return {
    alarms: (incidentIds: readonly string[]) =>
      db
        .selectFrom('incident_alarms')
        .selectAll()
        .where('incident_id', 'in', [...incidentIds, NOBODY])
        .orderBy('activated_at')
        .execute(),
    alarmOf: (occurrenceId: string) =>
      db.selectFrom('incident_alarms').selectAll().where('occurrence_id', '=', occurrenceId).executeTakeFirst(),
    addAlarm: (row: IncidentAlarmRow) =>
      db
        .insertInto('incident_alarms')
        .values({ ...row, name: asJson(row.name), value: asJson(row.value) })
        .execute(),
    setAlarm: (occurrenceId: string, change: { returned_at: Date | null }) =>
      db.updateTable('incident_alarms').set(change).where('occurrence_id', '=', occurrenceId).execute(),
    /** Incident of each occurrence that belongs to one. */
    incidentsOf: (occurrenceIds: readonly string[]) =>
      db
        .selectFrom('incident_alarms')
        .innerJoin('records', 'records.id', 'incident_alarms.incident_id')
        .select(['incident_alarms.occurrence_id', 'records.id', 'records.number'])
        .select(
          sql<boolean>`incident_alarms.activated_at = (select min(a.activated_at) from incident_alarms a
            where a.incident_id = incident_alarms.incident_id)`.as('is_first_out'),
        )
        .where('incident_alarms.occurrence_id', 'in', [...occurrenceIds, NOBODY])
        .execute(),
  }
}

function responderQueries(tx: Tx) {
  const db = tx.withTables<Tables>()
  return {
    responders: (incidentIds: readonly string[]) =>
      db
        .selectFrom('incident_responders')
        .selectAll()
        .where('incident_id', 'in', [...incidentIds, NOBODY])
        .orderBy('paged_at')
        .orderBy('person_id')
        .execute(),
    responder: (incidentId: string, personId: string) =>
      db
        .selectFrom('incident_responders')
        .selectAll()
        .where('incident_id', '=', incidentId)
        .where('person_id', '=', personId)
        .executeTakeFirst(),
    /** Adds the person, or changes what is told of them. */
    setResponder: (key: Pick<ResponderRow, 'incident_id' | 'org_id' | 'person_id'>, change: ResponderChange) =>
      db
        .insertInto('incident_responders')
        .values({ ...key, ...change })
        .onConflict((c) => c.columns(['incident_id', 'person_id']).doUpdateSet({ ...key, ...change }))
        .execute(),
  }
}
