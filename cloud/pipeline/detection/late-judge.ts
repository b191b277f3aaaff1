import type { Kysely } from 'kysely'
import { isSuppressed } from '#shared/alarms/index.ts'
import { GOOD } from '#shared/contracts/sample.ts'
import type { Log } from '#shared/log/log.ts'
import type { DetectionEdge, LateHistory } from './contract.ts'
import type { EdgeShard } from './edge-detection.ts'
import { type GapTag, LATE_WAIT_MS, type LateGap } from './gaps.ts'
import { type LateSample, type PastOccurrence, Replay } from './late.ts'
import type { DetectionTables } from './tables.ts'
import type { LateOccurrence, PointSlot } from './work.ts'

/** Values that one read of history gives. */
const PAGE = 10_000
/** As far ahead as a clock may be. */
const FURTHEST_AHEAD_MS = 86_400_000
/** History that could not be read is tried again after this long. */
const RETRY_MS = 10_000

export interface LateJudgeOptions {
  readonly db: Kysely<DetectionTables>
  readonly history: LateHistory
  readonly shards: () => Iterable<EdgeShard>
  /** False once the edge has gone to another process. */
  readonly isHere: (shard: EdgeShard) => boolean
  /** ms since 1970 */
  readonly clock: () => number
  readonly log: Log
}

/** Judges late samples from history, one gap after the other, beside the live detectors. */
export class LateJudge {
  readonly #options: LateJudgeOptions
  #running: Promise<void> | undefined
  #isAgain = false
  #isClosed = false
  #pausedUntil = 0

  constructor(options: LateJudgeOptions) {
    this.#options = options
  }

  /** Judges what is due: gaps that are closed and stored, and those that have waited long enough. */
  run(): Promise<void> {
    this.#isAgain = true
    this.#running ??= this.#runAll()
    return this.#running
  }

  /** Lets the read that is under way end; what it was for is judged after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  async #runAll(): Promise<void> {
    // So that it does not end before run() has noted that it runs.
    await Promise.resolve()
    while (this.#isAgain) {
      this.#isAgain = false
      if (this.#options.clock() < this.#pausedUntil) break
      for (const shard of this.#options.shards()) for (const gap of [...shard.gaps.open]) await this.#look(shard, gap)
    }
    this.#running = undefined
  }

  async #look(shard: EdgeShard, gap: LateGap): Promise<void> {
    const { history, clock, log } = this.#options
    const isWhole = shard.isEvaluated(gap) && history.hasAll(shard.edge, gap)
    const hasWaited = gap.firstLateAt !== null && clock() - gap.firstLateAt >= LATE_WAIT_MS
    if (!isWhole && !hasWaited) return
    try {
      // The log is the same after a restart, which knows another order of tags and points.
      for (const [, tag] of [...gap.tags].sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (this.#isClosed) return
        await this.#judge(shard, { gap, tag, isWhole })
      }
    } catch (err) {
      this.#pausedUntil = clock() + RETRY_MS
      log.warn({ err, ...edgeOf(shard) }, 'Late samples wait until history can be read')
      return
    }
    if (isWhole) shard.gaps.close(gap)
    else shard.gaps.rest(gap)
    shard.lateJudged()
  }

  async #judge(shard: EdgeShard, part: Part): Promise<void> {
    const { gap, tag, isWhole } = part
    const hasBegun = [...tag.points.values()].some(({ activated }) => activated)
    if (!tag.isLate && !hasBegun) return
    const slots = shard.points.ofDevice(tag.device).filter(({ rule }) => tag.points.has(rule.pointId))
    slots.sort((a, b) => (a.rule.path < b.rule.path ? -1 : 1))
    const replays = slots.map((slot) => ({ slot, replay: replayOf(slot, part) }))
    await this.#feed(shard, part, replays)
    const found = await Promise.all(replays.flatMap(({ slot, replay }) => this.#occurrences(slot, replay)))
    if (!this.#options.isHere(shard)) return
    shard.points.recordLate(found.filter((one) => one !== undefined))
    if (isWhole) for (const running of replays) settle(shard, running)
    else shard.gaps.judged(gap, tag, new Map(replays.map(({ slot, replay }) => [slot.rule.pointId, replay.replayed])))
  }

  /** Hands the samples of a tag to its replays, until all agree with the live detector; of an open gap, up to its end. */
  async #feed(shard: EdgeShard, { gap, tag, isWhole }: Part, replays: readonly Running[]): Promise<void> {
    const { history, clock } = this.#options
    const { group, edge } = shard.edge
    const path = `${group}/${edge}/${tag.device}/${tag.tag}`
    const to = isWhole ? clock() + FURTHEST_AHEAD_MS : tag.liveAt
    let from = firstUnjudged(gap, tag, replays)
    while (from < to) {
      const samples = await history.read({ path, from, to, limit: PAGE })
      takeAll(replays, samples)
      if (samples.length < PAGE || replays.every(({ replay }) => replay.isDone)) return
      from = (samples.at(-1)?.at ?? to) + 1
    }
  }

  #occurrences(slot: PointSlot, { found }: Replay): Promise<LateOccurrence | undefined>[] {
    return found.map(async (one) => {
      const isSuppressed = await this.#wasSuppressed(slot, one.activated.eventAt)
      return (await this.#isTold(slot, one)) ? undefined : { ...one, slot, isSuppressed }
    })
  }

  /** The live detector found it too: a delay that ran as the gap began ended by the event clock. */
  async #isTold({ state }: PointSlot, { activated }: PastOccurrence): Promise<boolean> {
    if (state.occurrence?.id === activated.occurrenceId) return true
    const line = await this.#options.db
      .selectFrom('alarm_log')
      .select('event')
      .where('id', '=', activated.id)
      .executeTakeFirst()
    return line?.event.isLate === false
  }

  /** Whether something kept the alarm from the operator at that time: the log says, nothing is timed again. */
  async #wasSuppressed({ rule }: PointSlot, at: number): Promise<boolean> {
    const line = await this.#options.db
      .selectFrom('alarm_log')
      .select('state')
      .where('point_id', '=', rule.pointId)
      .where('event_at', '<=', new Date(at))
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst()
    return line !== undefined && 'GHI'.includes(line.state)
  }
}

function takeAll(replays: readonly Running[], samples: readonly LateSample[]): void {
  for (const sample of samples) for (const { replay } of replays) replay.take(sample)
}

/** What the live detector and the replay do not agree about by now is settled as the replay found it. */
function settle(shard: EdgeShard, { slot, replay }: Running): void {
  if (replay.isDone) return
  const known = replay.found.length
  const { value, valueAt } = slot
  if (valueAt !== null && value !== null) replay.takeNewest({ at: valueAt, value, quality: GOOD })
  const fresh = replay.found.slice(known).filter((one) => one.activated.occurrenceId !== slot.state.occurrence?.id)
  const more = fresh.map((one) => ({ ...one, slot, isSuppressed: isSuppressed(slot.state) }))
  shard.points.recordLate(more)
  shard.points.catchUp(slot, replay.replayed.state)
}

/** Where reading begins: what lies before it was judged in its turn. */
function firstUnjudged({ lateFrom }: LateGap, { liveAt }: GapTag, replays: readonly Running[]): number {
  const seen = Math.min(...replays.map(({ replay }) => replay.replayed.state.valueAt ?? Number.NEGATIVE_INFINITY))
  return Math.max(0, seen + 1, Math.min(lateFrom ?? liveAt, liveAt))
}

interface Part {
  readonly gap: LateGap
  readonly tag: GapTag
  readonly isWhole: boolean
}

interface Running {
  readonly slot: PointSlot
  readonly replay: Replay
}

function replayOf({ rule }: PointSlot, { gap, tag }: Part): Replay {
  const from = tag.points.get(rule.pointId)
  if (!from) throw new Error(`No state of ${rule.path} before its gap`)
  return new Replay(rule, from, { liveAt: tag.liveAt, lateTo: gap.lateTo ?? tag.liveAt })
}

const edgeOf = ({ edge: { group, edge } }: { readonly edge: DetectionEdge }) => ({ group, edge })
