import { type Kysely, sql } from 'kysely'
import { isaState } from '#shared/alarms/index.ts'
import type { AlarmCommand, AlarmRefusal } from '#shared/contracts/alarm-command.ts'
import type { DetectionEdge } from './contract.ts'
import { isDeviceAlarm } from './device-alarm.ts'
import type { Points } from './points.ts'
import type { ActionsTable, DetectionTables } from './tables.ts'
import type { AppliedAction, PointSlot } from './work.ts'

const PAGE = 500

type ActionRow = Pick<
  ActionsTable,
  'id' | 'org_id' | 'point_id' | 'kind' | 'by' | 'comment' | 'until' | 'occurrence_id' | 'reference' | 'at'
> & { readonly is_known: boolean }

const commandOf = ({ id, point_id, kind, by, at, comment }: ActionRow): AlarmCommand => ({
  ...{ id, pointId: point_id, kind, by, at: at.getTime() },
  ...(comment === null ? {} : { comment }),
})

/** A point with the edge that holds it. */
export interface FoundPoint {
  readonly slot: PointSlot
  readonly points: Points
}

export interface ActionsOptions {
  readonly db: Kysely<DetectionTables>
  /** ms since 1970 */
  readonly clock: () => number
  readonly find: (org: string, pointId: string) => FoundPoint | undefined
  /** An action was applied in memory and waits for its commit. */
  readonly urgent: () => void
  /** An alarm that a device judges itself was acknowledged. */
  readonly onDeviceAcknowledgement: (edge: DetectionEdge, command: AlarmCommand) => void
  /** Of this process, where several divide the edges: it applies what concerns its own. */
  readonly fence?: bigint | undefined
}

/** True for actions on alarms of own edges, and on alarms that nobody has. */
const isNobodyElses = (fence: bigint) => sql<boolean>`not exists (
  select from alarm_points p join edges e on e.group_id = p.group_key and e.edge = p.edge
  where p.id = a.point_id and e.owner_fence is distinct from ${fence})`

/** Operator actions: rows are read in order and applied; the result is committed with the events that they caused. */
export class Actions {
  readonly #options: ActionsOptions
  /** Applied in memory, not committed yet: their rows still look as if they waited. */
  readonly #inFlight = new Set<string>()
  #applied: AppliedAction[] = []
  #running: Promise<void> | undefined
  #isAgain = false

  constructor(options: ActionsOptions) {
    this.#options = options
  }

  /** Applies all rows that wait. Rejects when they cannot be read; the next hint or call tries again. */
  apply(): Promise<void> {
    this.#isAgain = true
    this.#running ??= this.#run()
    return this.#running
  }

  /** What was applied since the last call. */
  take(): readonly AppliedAction[] {
    const taken = this.#applied
    this.#applied = []
    return taken
  }

  committed(actions: readonly AppliedAction[]): void {
    for (const { id } of actions) this.#inFlight.delete(id)
  }

  async #run(): Promise<void> {
    try {
      await Promise.resolve()
      while (this.#isAgain) {
        this.#isAgain = false
        const rows = await this.#waiting()
        for (const row of rows) this.#applyOne(row)
        if (rows.length === PAGE) this.#isAgain = true
      }
    } finally {
      this.#running = undefined
    }
  }

  /** A row whose commit ended while it was read looks as if it waited; so what was in flight before the read is left out. */
  async #waiting(): Promise<ActionRow[]> {
    const before = [...this.#inFlight]
    let query = this.#options.db
      .selectFrom('alarm_actions as a')
      .select(['id', 'org_id', 'point_id', 'kind', 'by', 'comment', 'until', 'occurrence_id', 'reference', 'at'])
      .select(sql<boolean>`exists (select from alarm_points p where p.id = a.point_id)`.as('is_known'))
      .where('applied_at', 'is', null)
    if (this.#options.fence !== undefined) query = query.where(isNobodyElses(this.#options.fence))
    if (before.length > 0) query = query.where('id', 'not in', before)
    return query.orderBy('position').limit(PAGE).execute()
  }

  #applyOne(row: ActionRow): void {
    const found = this.#options.find(row.org_id, row.point_id)
    // Its edge has just gone: its next owner looks for what waits.
    if (!found && row.is_known && this.#options.fence !== undefined) return
    const refusal: AlarmRefusal | undefined = found ? this.#operate(found, row) : 'alarm.unknown-point'
    const state = found ? isaState(found.slot.state) : null
    const result = refusal
      ? { status: 'refused' as const, error: refusal, state }
      : { status: 'applied' as const, state }
    this.#inFlight.add(row.id)
    this.#applied.push({ id: row.id, at: this.#options.clock(), result })
    this.#options.urgent()
  }

  #operate({ slot, points }: FoundPoint, row: ActionRow): AlarmRefusal | undefined {
    const refusal = points.feed(slot, {
      kind: row.kind,
      id: row.id,
      at: row.at.getTime(),
      by: row.by,
      comment: row.comment ?? undefined,
      until: row.until?.getTime(),
      occurrenceId: row.occurrence_id ?? undefined,
      reference: row.reference ?? undefined,
    })
    if (!refusal && row.kind === 'acknowledge' && isDeviceAlarm(slot))
      this.#options.onDeviceAcknowledgement(slot.edge, commandOf(row))
    return refusal
  }
}
