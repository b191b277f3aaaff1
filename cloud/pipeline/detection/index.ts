import type { Kysely } from 'kysely'
import type { Log } from '#shared/log/log.ts'
import { Actions, type FoundPoint } from './actions.ts'
import { inBatches, NOTHING } from './batches.ts'
import { Committer, type MarksWanted, type Taken } from './committer.ts'
import type { Detection, DetectionEdge, LateHistory } from './contract.ts'
import { EdgeShard } from './edge-detection.ts'
import type { GapWork } from './gaps.ts'
import { LateJudge } from './late-judge.ts'
import { loadEdges, type StoredEdge } from './load.ts'
import { detectionQueries } from './queries.ts'
import { ServerClock } from './server-clock.ts'
import { commitBatch } from './store.ts'
import type { DetectionTables } from './tables.ts'
import type { Batch, GapOf } from './work.ts'

export type * from './contract.ts'
export { detectionQueries } from './queries.ts'

/** The promise is a second at most under load; the commit itself takes the rest. */
const CHECKPOINT_MS = 800
const SILENCE_MS = 3000

export interface DetectionOptions {
  /** A pool that works as andon_system. */
  readonly db: Kysely<unknown>
  /** Hears NOTIFY, and once after each connection; answers the end of it. */
  readonly listen?: (channel: string, hear: () => void) => Promise<() => Promise<void>>
  /** ms since 1970 */
  readonly clock: () => number
  readonly log: Log
  /** How long samples that changed no alarm may wait for their checkpoint and mark; 800 ms unless told. */
  readonly checkpointMs?: number
  /** Of this process, where several divide the edges: it begins without any and takes them on one by one. */
  readonly fence?: bigint | undefined
  /** Where late samples are read from. */
  readonly history: LateHistory
}

/** Restores every edge from its checkpoint and starts to apply operator actions. Rejects when the database cannot be read. */
export async function createDetection(options: DetectionOptions): Promise<RunningDetection> {
  const db = options.db as Kysely<DetectionTables>
  const detection = new RunningDetection({ ...options, db })
  if (options.fence === undefined) await detection.takeOn()
  await detection.start()
  return detection
}

interface Options extends Omit<DetectionOptions, 'db'> {
  readonly db: Kysely<DetectionTables>
}

type AcknowledgementListener = Parameters<Detection['onDeviceAcknowledgement']>[0]

/** The detection of all edges of this process. */
export class RunningDetection implements Detection {
  readonly alarms: Detection['alarms']
  readonly alarmCounts: Detection['alarmCounts']
  readonly alarm: Detection['alarm']
  readonly occurrence: Detection['occurrence']
  readonly occurrences: Detection['occurrences']
  readonly alarmLog: Detection['alarmLog']
  readonly machineStates: Detection['machineStates']
  readonly machineStateHistory: Detection['machineStateHistory']
  readonly #options: Options
  readonly #shards = new Map<string, EdgeShard>()
  readonly #found = new Map<string, FoundPoint>()
  readonly #committer: Committer
  readonly #serverClock: ServerClock
  readonly #actions: Actions
  readonly #lateJudge: LateJudge
  readonly #listeners = new Set<(edge: DetectionEdge) => void>()
  readonly #acknowledged = new Set<AcknowledgementListener>()
  readonly #silences = new Set<NodeJS.Timeout>()
  #unlisten: (() => Promise<void>) | undefined

  constructor(options: Options) {
    const { db, clock, log, fence, checkpointMs = CHECKPOINT_MS } = options
    const queries = detectionQueries(db)
    this.alarms = queries.alarms
    this.alarmCounts = queries.alarmCounts
    this.alarm = queries.alarm
    this.occurrence = queries.occurrence
    this.occurrences = queries.occurrences
    this.alarmLog = queries.alarmLog
    this.machineStates = queries.machineStates
    this.machineStateHistory = queries.machineStateHistory
    this.#options = options
    this.#committer = new Committer({
      ...{ checkpointMs, log },
      take: (marks) => this.#take(marks),
      commit: (batch) => commitBatch(db, batch),
      committed: (batch) => this.#committed(batch),
    })
    this.#serverClock = new ServerClock(clock, (slot, firing) => {
      this.#found.get(slot.rule.pointId)?.points.feed(slot, firing)
    })
    const find = (org: string, id: string) => {
      const found = this.#found.get(id)
      return found?.slot.edge.org === org ? found : undefined
    }
    this.#lateJudge = new LateJudge({
      ...{ db, clock, log, history: options.history, shards: () => this.#shards.values() },
      isHere: (shard) => this.#isHere(shard),
    })
    this.#actions = new Actions({
      ...{ db, clock, find, fence },
      urgent: () => this.#committer.now(),
      onDeviceAcknowledgement: (edge, command) => {
        for (const listener of this.#acknowledged) listener(edge, command)
      },
    })
  }

  /** Goes on with these edges, or with all, from their checkpoints; the alarms of those that stay silent freeze. */
  async takeOn(edges?: readonly DetectionEdge[]): Promise<void> {
    const { db, clock } = this.#options
    const shards = (await loadEdges(db, clock(), edges)).map((stored) => this.#open(stored))
    const silence = setTimeout(() => {
      this.#silences.delete(silence)
      for (const shard of shards) if (!shard.isHeard && this.#isHere(shard)) shard.onStale(clock())
    }, SILENCE_MS)
    this.#silences.add(silence.unref())
    this.#serverClock.check()
  }

  /** Ends work on these edges: once it resolves, what they brought is committed and nothing more is written for them. */
  async letGo(edges: readonly DetectionEdge[]): Promise<void> {
    const shards = edges.flatMap(({ group, edge }) => this.#shards.get(`${group}/${edge}`) ?? [])
    for (const slot of shards.flatMap(({ points }) => [...points.all()])) {
      this.#found.delete(slot.rule.pointId)
      this.#serverClock.forget(slot)
    }
    await this.#committer.settled()
    for (const { edge } of shards) this.#shards.delete(`${edge.group}/${edge.edge}`)
  }

  /** Hears operator actions. */
  async start(): Promise<void> {
    const { listen, log } = this.#options
    const apply = () => {
      this.applyActions().catch((err: unknown) =>
        log.warn({ err }, 'Alarm actions cannot be read, the next one tries again'),
      )
    }
    this.#unlisten = await listen?.('andon_alarm_actions', apply)
    apply()
  }

  edge(edge: DetectionEdge): EdgeShard {
    const known = this.#shards.get(`${edge.group}/${edge.edge}`)
    return (
      known ??
      this.#open({ edge, points: [], machines: new Map(), memory: undefined, revision: 0, marks: new Map(), gaps: [] })
    )
  }

  async applyActions(): Promise<void> {
    await this.#actions.apply()
  }

  checkServerClock(): void {
    this.#serverClock.check()
  }

  async judgeLate(): Promise<void> {
    await this.#lateJudge.run()
  }

  async settled(): Promise<void> {
    await this.#committer.settled()
  }

  /** What keeps alarms from being committed; undefined while all is well. */
  fault(): string | undefined {
    return this.#committer.fault()
  }

  onMark(listener: (edge: DetectionEdge) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  onDeviceAcknowledgement(listener: AcknowledgementListener): () => void {
    this.#acknowledged.add(listener)
    return () => this.#acknowledged.delete(listener)
  }

  async close(): Promise<void> {
    for (const silence of this.#silences) clearTimeout(silence)
    this.#serverClock.close()
    await this.#unlisten?.()
    await this.#lateJudge.close()
    await this.#committer.close()
  }

  #open(stored: StoredEdge): EdgeShard {
    const shard: EdgeShard = new EdgeShard({
      ...stored,
      clock: this.#options.clock,
      urgent: () => this.#committer.now(),
      idle: () => this.#committer.soon(),
      changed: (slot, points) => {
        this.#found.set(slot.rule.pointId, { slot, points })
        this.#serverClock.watch(slot)
      },
    })
    this.#shards.set(`${stored.edge.group}/${stored.edge.edge}`, shard)
    return shard
  }

  #isHere(shard: EdgeShard): boolean {
    return this.#shards.get(`${shard.edge.group}/${shard.edge.edge}`) === shard
  }

  #take(marks: MarksWanted): Taken {
    const work = [...this.#shards.values()].map((shard) => ({ edge: shard.edge, ...shard.take(marks) }))
    const batches = inBatches({
      ...NOTHING,
      events: work.flatMap(({ events }) => events),
      bound: work.flatMap(({ bound }) => bound),
      points: work.flatMap(({ points }) => points),
      actions: this.#actions.take(),
      late: work.flatMap(({ late }) => late),
      notedGaps: gapsOf(work, 'noted'),
      judgedGaps: gapsOf(work, 'judged'),
      closedGaps: gapsOf(work, 'closed'),
    })
    const checkpoint = inBatches({
      ...NOTHING,
      machines: work.flatMap(({ machines }) => machines),
      marks: work.flatMap(({ mark }) => mark ?? []),
    })
    return { batches, checkpoint }
  }

  #committed({ actions, marks }: Batch): void {
    this.#actions.committed(actions)
    for (const mark of marks) {
      this.#shards.get(`${mark.edge.group}/${mark.edge.edge}`)?.committed(mark)
      for (const listener of this.#listeners) listener(mark.edge)
    }
  }
}

interface WithGaps {
  readonly edge: DetectionEdge
  readonly gaps: GapWork
}

const gapsOf = <K extends keyof GapWork>(work: readonly WithGaps[], kind: K): GapOf<GapWork[K][number]>[] =>
  work.flatMap(({ edge, gaps }) => gaps[kind].map((of: GapWork[K][number]) => ({ edge, of })))
