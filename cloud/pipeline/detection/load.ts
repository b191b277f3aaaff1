import { type Kysely, type RawBuilder, type Selectable, sql } from 'kysely'
import { type AlarmState, alarmRule, INITIAL_STATE, restore } from '#shared/alarms/index.ts'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import { AlarmPoint } from './alarm-point.ts'
import type { DetectionEdge } from './contract.ts'
import type { GapTag, LateGap } from './gaps.ts'
import type { Replayed } from './late.ts'
import type { MachineInterval } from './machine.ts'
import type { StoredRanges } from './marks.ts'
import { unpackMemory } from './memory.ts'
import type {
  CheckpointsTable,
  DetectionTables,
  GapsTable,
  GapTagsTable,
  Memory,
  PointMemory,
  StoredReplay,
} from './tables.ts'
import type { PointSlot } from './work.ts'

/** What one edge goes on from. */
export interface StoredEdge {
  readonly edge: DetectionEdge
  readonly points: PointSlot[]
  readonly machines: Map<string, MachineInterval>
  memory: Memory | undefined
  /** The greatest that was written, see Memory. */
  revision: number
  readonly marks: Map<bigint, StoredRanges>
  readonly gaps: LateGap[]
}

interface StoredPoint {
  readonly org_id: string
  readonly group_key: string
  readonly edge: string
  readonly device: string
  readonly profile: string
  readonly definition_version: number
  readonly document: AlarmDefinition
  readonly regions: AlarmState
  readonly changed_at: Date
  readonly retired_at: Date | null
  readonly alarm: string
  readonly revision: string
}

const keyOf = ({ group_key, edge }: { group_key: string; edge: string }) => `${group_key}/${edge}`

/** A point's own row is written with each of its events, the memory of its edge with each mark: the newer one counts. */
function newerMemory(
  { regions, revision }: StoredPoint,
  memory: Memory | undefined,
  id: string,
): PointMemory | undefined {
  const known = memory?.points.get(id)
  if (!memory || known?.valueAt == null || memory.revision < Number(revision)) return undefined
  return regions.valueAt === null || known.valueAt >= regions.valueAt ? known : undefined
}

function memoryIn({ revision, event_at, machines, base, changes }: Selectable<CheckpointsTable>): Memory {
  const points = new Map<string, PointMemory>()
  if (base) unpackMemory(base, points)
  unpackMemory(changes, points)
  return { revision: Number(revision), eventAt: event_at, machines: machines ?? {}, points }
}

function slotOf(row: StoredPoint, { edge, memory }: StoredEdge, at: number): PointSlot {
  const path = `${row.group_key}/${row.edge}/${row.device}/${row.alarm}`
  const rule = alarmRule(path, row.definition_version, row.document)
  return new AlarmPoint({
    edge,
    device: row.device,
    profile: row.profile,
    rule,
    state: restore(rule, { ...row.regions, ...newerMemory(row, memory, rule.pointId) }, at).state,
    changedAt: row.changed_at.getTime(),
    isRetired: row.retired_at !== null,
  })
}

const storedPoints = (db: Kysely<DetectionTables>, own: RawBuilder<boolean>): Promise<StoredPoint[]> =>
  db
    .selectFrom('alarm_points as p')
    .innerJoin('alarm_definitions as d', (join) =>
      join
        .onRef('d.org_id', '=', 'p.org_id')
        .onRef('d.profile', '=', 'p.profile')
        .onRef('d.alarm', '=', 'p.alarm')
        .onRef('d.version', '=', 'p.definition_version'),
    )
    .select(['p.org_id', 'p.group_key', 'p.edge', 'p.device', 'p.profile', 'p.definition_version', 'd.document'])
    .select(['p.regions', 'p.changed_at', 'p.retired_at', 'p.alarm', 'p.revision'])
    .where(own)
    .orderBy('p.device_path')
    .orderBy('p.alarm')
    .execute()

/** Which edges are loaded: by group and name. */
export type Wanted = readonly Pick<DetectionEdge, 'group' | 'edge'>[]

const among = (wanted: Wanted | undefined) => {
  if (!wanted) return sql<boolean>`true`
  const [groups, edges] = [wanted.map(({ group }) => group), wanted.map(({ edge }) => edge)]
  return sql<boolean>`(group_key, edge) in (select * from unnest(${groups}::text[], ${edges}::text[]))`
}

/**
 * Reads the checkpoints of all edges, or of those wanted: points, memory, marks and present machine states. `at` is the time of
 * an end that restoring itself brings.
 */
export async function loadEdges(db: Kysely<DetectionTables>, at: number, wanted?: Wanted): Promise<StoredEdge[]> {
  const own = among(wanted)
  const edges = new Map<string, StoredEdge>()
  const edgeOf = (row: { org_id: string; group_key: string; edge: string }): StoredEdge => {
    const known = edges.get(keyOf(row))
    if (known) return known
    const edge = { org: row.org_id, group: row.group_key, edge: row.edge }
    const stored = { edge, points: [], machines: new Map(), memory: undefined, revision: 0, marks: new Map(), gaps: [] }
    edges.set(keyOf(row), stored)
    return stored
  }
  for (const row of await db.selectFrom('detection_checkpoints').selectAll().where(own).execute()) {
    const stored = edgeOf(row)
    stored.memory = memoryIn(row)
    stored.revision = stored.memory.revision
  }
  for (const row of await db.selectFrom('detection_marks').selectAll().where(own).execute()) {
    edgeOf(row).marks.set(BigInt(row.epoch), row.ranges)
  }
  for (const row of await db.selectFrom('machine_states').selectAll().where('until', 'is', null).where(own).execute()) {
    edgeOf(row).machines.set(row.device, { state: row.state, since: row.since.getTime() })
  }
  for (const row of await storedPoints(db, own)) {
    const stored = edgeOf(row)
    stored.points.push(slotOf(row, stored, at))
    stored.revision = Math.max(stored.revision, Number(row.revision))
  }
  for (const gap of await loadGaps(db, own)) edgeOf(gap.row).gaps.push(gap.gap)
  return [...edges.values()]
}

async function loadGaps(db: Kysely<DetectionTables>, own: RawBuilder<boolean>) {
  const rows = await db.selectFrom('detection_gaps').selectAll().where(own).orderBy('first_offset').execute()
  if (rows.length === 0) return []
  const tags = await db.selectFrom('detection_gap_tags').selectAll().where(own).execute()
  const nameOf = (row: Selectable<GapsTable> | Selectable<GapTagsTable>) =>
    `${keyOf(row)}/${row.epoch}/${row.first_offset}`
  const byGap = Map.groupBy(tags, nameOf)
  return rows.map((row) => ({ row, gap: gapOf(row, byGap.get(nameOf(row)) ?? []) }))
}

function gapOf(row: Selectable<GapsTable>, tags: readonly Selectable<GapTagsTable>[]): LateGap {
  const { first_late_at: firstLateAt, late_from: lateFrom, late_to: lateTo } = row
  const range = { epoch: BigInt(row.epoch), first: BigInt(row.first_offset), last: BigInt(row.last_offset) }
  return {
    ...range,
    firstLateAt,
    lateFrom,
    lateTo,
    tags: new Map(tags.map((tag) => [`${tag.device}/${tag.tag}`, gapTagOf(tag)])),
  }
}

function gapTagOf({ device, tag, live_at, is_late, points }: Selectable<GapTagsTable>): GapTag {
  const replayed = Object.entries(points).map(([id, stored]) => [id, replayedOf(stored)] as const)
  return { device, tag, liveAt: live_at, isLate: is_late, points: new Map(replayed) }
}

const replayedOf = ({ state, live, ...more }: StoredReplay): Replayed => ({
  ...{ state: { ...INITIAL_STATE, ...state }, ...more },
  ...(live ? { live: { ...INITIAL_STATE, ...live } } : {}),
})
