import { type Kysely, type Selectable, sql } from 'kysely'
import { isActive } from '#shared/alarms/index.ts'
import { PRIORITIES, type Priority } from '#shared/contracts/priority.ts'
import type {
  AlarmFilter,
  AlarmLogLine,
  AlarmPointStatus,
  DetectionQueries,
  MachineStateInterval,
  OccurrenceStatus,
} from './contract.ts'
import type { DetectionTables, LogTable, MachineStatesTable, OccurrencesTable, PointsTable } from './tables.ts'

type Db = Kysely<DetectionTables>
type PointRow = Selectable<PointsTable> & { readonly document: AlarmPointStatus['definition'] }
type OccurrenceRow = Selectable<OccurrencesTable> & Pick<PointRow, 'group_key' | 'edge' | 'device' | 'tag' | 'alarm'>

const DEFAULT_LIMIT = 100
const LARGEST_LIMIT = 500

const ms = (at: Date | null) => at?.getTime() ?? null
const limitOf = (limit: number | undefined) => Math.max(1, Math.min(limit ?? DEFAULT_LIMIT, LARGEST_LIMIT))

function flagsOf(regions: PointRow['regions']) {
  return {
    isActive: isActive(regions),
    isUnacknowledged: !regions.isAcked,
    isUnconfirmed: !regions.isConfirmed,
    isLatched: regions.latchedSince !== null,
    isShelved: regions.shelving !== null,
    isSuppressedByDesign: regions.byDesign.length > 0,
    isOutOfService: regions.outOfService !== null,
  }
}

const pointStatus = (row: PointRow): AlarmPointStatus => ({
  id: row.id,
  org: row.org_id,
  group: row.group_key,
  edge: row.edge,
  device: row.device,
  tag: row.tag,
  alarm: row.alarm,
  definition: row.document,
  definitionVersion: row.definition_version,
  profile: row.profile,
  priority: row.priority,
  state: row.state,
  ...flagsOf(row.regions),
  isAnnunciated: row.is_annunciated,
  quality: row.quality,
  level: row.level,
  value: row.value,
  setpoint: row.setpoint,
  occurrenceId: row.occurrence_id,
  activeSince: ms(row.active_since),
  changedAt: row.changed_at.getTime(),
  acknowledgedBy: row.acknowledged_by,
  acknowledgedAt: ms(row.acknowledged_at),
  shelvedUntil: ms(row.shelved_until),
})

const occurrenceStatus = (row: OccurrenceRow): OccurrenceStatus => ({
  id: row.id,
  org: row.org_id,
  pointId: row.point_id,
  group: row.group_key,
  edge: row.edge,
  device: row.device,
  tag: row.tag,
  alarm: row.alarm,
  causeId: row.cause_id,
  openedAt: row.opened_at.getTime(),
  returnedAt: ms(row.returned_at),
  closedAt: ms(row.closed_at),
  priority: row.priority,
  level: row.level,
  value: row.value,
  setpoint: row.setpoint,
  peakValue: row.peak_value,
  peakAt: ms(row.peak_at),
  count: row.count,
  isSuppressed: row.is_suppressed,
  isLate: row.is_late,
})

const logLine = (row: Selectable<LogTable>): AlarmLogLine => ({ ...row.event, seq: BigInt(row.seq) })

const machineInterval = (row: Selectable<MachineStatesTable>): MachineStateInterval => ({
  group: row.group_key,
  edge: row.edge,
  device: row.device,
  state: row.state,
  since: row.since.getTime(),
  until: ms(row.until),
})

type Place = readonly [isAcked: boolean, urgency: number, newest: string, id: string]

const cursorAfter = (row: PointRow): string => {
  const place: Place = [row.is_acked, row.urgency, row.newest, row.id]
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** Undefined for a cursor that is none of ours: the list then begins anew. */
function placeOf(cursor: string): Place | undefined {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(place) && place.length === 4 ? (place as unknown as Place) : undefined
  } catch {
    return undefined
  }
}

const points = (db: Db, org: string) =>
  db
    .selectFrom('alarm_points as p')
    .innerJoin('alarm_definitions as d', (join) =>
      join
        .onRef('d.org_id', '=', 'p.org_id')
        .onRef('d.profile', '=', 'p.profile')
        .onRef('d.alarm', '=', 'p.alarm')
        .onRef('d.version', '=', 'p.definition_version'),
    )
    .where('p.org_id', '=', org)
    .where('p.retired_at', 'is', null)
    .selectAll('p')
    .select('d.document')

type PointsQuery = ReturnType<typeof points>

function narrow(query: PointsQuery, { ids, states, priorities, devices, isAnnunciated }: AlarmFilter): PointsQuery {
  return query
    .$if(ids !== undefined, (q) => q.where(sql<boolean>`p.id = any(${ids ?? []}::uuid[])`))
    .$if(states !== undefined, (q) => q.where(sql<boolean>`p.state = any(${states ?? []}::text[])`))
    .$if(priorities !== undefined, (q) => q.where(sql<boolean>`p.priority = any(${priorities ?? []}::text[])`))
    .$if(devices !== undefined, (q) => q.where(sql<boolean>`p.device_path = any(${devices ?? []}::text[])`))
    .$if(isAnnunciated !== undefined, (q) => q.where('p.is_annunciated', '=', isAnnunciated === true))
}

function search(query: PointsQuery, text: string | undefined): PointsQuery {
  if (!text) return query
  const like = `%${text.replaceAll(/[\\%_]/g, (c) => `\\${c}`)}%`
  return query.where(
    sql<boolean>`concat_ws(' ', p.alarm, p.device, p.tag, p.name ->> 'en', p.name ->> 'zh-CN') ilike ${like}`,
  )
}

function after(query: PointsQuery, cursor: string | undefined): PointsQuery {
  const place = cursor ? placeOf(cursor) : undefined
  if (!place) return query
  const [isAcked, urgency, newest, id] = place
  return query.where(
    sql<boolean>`(p.is_acked, p.urgency, p.newest, p.id) > (${isAcked}::boolean, ${urgency}::smallint, ${newest}::bigint, ${id}::uuid)`,
  )
}

async function listAlarms(db: Db, org: string, filter: AlarmFilter) {
  const limit = limitOf(filter.limit)
  const rows: PointRow[] = await after(search(narrow(points(db, org), filter), filter.text), filter.cursor)
    .orderBy('p.is_acked')
    .orderBy('p.urgency')
    .orderBy('p.newest')
    .orderBy('p.id')
    .limit(limit + 1)
    .execute()
  const items = rows.slice(0, limit)
  const last = rows.length > limit ? items.at(-1) : undefined
  return { items: items.map(pointStatus), nextCursor: last ? cursorAfter(last) : null }
}

async function countAlarms(db: Db, org: string) {
  const rows = await db
    .selectFrom('alarm_points')
    .select(({ fn }) => ['priority', 'is_acked', fn.countAll<string>().as('count')])
    .where('org_id', '=', org)
    .where('is_annunciated', '=', true)
    .groupBy(['priority', 'is_acked'])
    .execute()
  const byPriority = Object.fromEntries(PRIORITIES.map((p) => [p, 0])) as Record<Priority, number>
  for (const row of rows) byPriority[row.priority] += Number(row.count)
  const unacknowledged = rows.filter((row) => !row.is_acked).reduce((sum, row) => sum + Number(row.count), 0)
  return { byPriority, unacknowledged }
}

const occurrences = (db: Db, org: string) =>
  db
    .selectFrom('occurrences as o')
    .innerJoin('alarm_points as p', 'p.id', 'o.point_id')
    .where('o.org_id', '=', org)
    .selectAll('o')
    .select(['p.group_key', 'p.edge', 'p.device', 'p.tag', 'p.alarm'])

type OccurrenceFilter = Parameters<DetectionQueries['occurrences']>[1]

function listOccurrences(db: Db, org: string, { pointId, devices, from, to, limit }: OccurrenceFilter) {
  return occurrences(db, org)
    .$if(pointId !== undefined, (q) => q.where('o.point_id', '=', pointId ?? ''))
    .$if(devices !== undefined, (q) => q.where(sql<boolean>`p.device_path = any(${devices ?? []}::text[])`))
    .$if(from !== undefined, (q) => q.where('o.opened_at', '>=', new Date(from ?? 0)))
    .$if(to !== undefined, (q) => q.where('o.opened_at', '<', new Date(to ?? 0)))
    .orderBy('o.opened_at', 'desc')
    .orderBy('o.id')
    .limit(limitOf(limit))
    .execute()
}

async function listLog(
  db: Db,
  org: string,
  { occurrenceId, pointId, limit }: Parameters<DetectionQueries['alarmLog']>[1],
) {
  const newestFirst = await db
    .selectFrom('alarm_log')
    .selectAll()
    .where('org_id', '=', org)
    .$if(occurrenceId !== undefined, (q) => q.where('occurrence_id', '=', occurrenceId ?? ''))
    .$if(pointId !== undefined, (q) => q.where('point_id', '=', pointId ?? ''))
    .orderBy('seq', 'desc')
    .limit(limitOf(limit))
    .execute()
  return newestFirst.reverse()
}

const presentStates = (db: Db, org: string, devices: readonly string[] | undefined) =>
  db
    .selectFrom('machine_states')
    .selectAll()
    .where('org_id', '=', org)
    .where('until', 'is', null)
    .$if(devices !== undefined, (q) => q.where(sql<boolean>`device_path = any(${devices ?? []}::text[])`))
    .orderBy('device_path')
    .execute()

const stateHistory = (db: Db, org: string, device: string, [from, to]: readonly [number, number]) =>
  db
    .selectFrom('machine_states')
    .selectAll()
    .where('org_id', '=', org)
    .where('device_path', '=', device)
    .where('since', '<', new Date(to))
    .where((e) => e.or([e('until', 'is', null), e('until', '>', new Date(from))]))
    .orderBy('since')
    .execute()

/** Reads for the suite. `db` works as andon_system; every read is narrowed to the organisation given. */
export function detectionQueries(db: Db): DetectionQueries {
  return {
    alarms: (org, filter = {}) => listAlarms(db, org, filter),
    alarmCounts: (org) => countAlarms(db, org),
    alarm: async (org, pointId) => (await listAlarms(db, org, { ids: [pointId] })).items[0],
    async occurrence(org, id) {
      const row = await occurrences(db, org).where('o.id', '=', id).executeTakeFirst()
      return row && occurrenceStatus(row)
    },
    occurrences: async (org, filter) => (await listOccurrences(db, org, filter)).map(occurrenceStatus),
    alarmLog: async (org, filter) => (await listLog(db, org, filter)).map(logLine),
    machineStates: async (org, devices) => (await presentStates(db, org, devices)).map(machineInterval),
    machineStateHistory: async (org, device, from, to) =>
      (await stateHistory(db, org, device, [from, to])).map(machineInterval),
  }
}
