import type { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { Quality } from '#shared/contracts/sample.ts'
import type { DataColumns } from '#shared/sparkplug/columns.ts'
import { PointCheckpoint } from './checkpoint.ts'
import type { MarksWanted } from './committer.ts'
import type {
  AcceptedOffsets,
  BirthValue,
  DetectionBatch,
  DetectionColumns,
  DetectionEdge,
  DetectionSample,
  EdgeDetection,
  OffsetRange,
  WatchedColumns,
} from './contract.ts'
import type { EdgeOptions, EdgeWork } from './edge-options.ts'
import { EventClock } from './event-clock.ts'
import { Gaps } from './gaps.ts'
import { copyOf, Held } from './held.ts'
import { Machines } from './machines.ts'
import { Marks } from './marks.ts'
import { Missing, tagOf } from './missing.ts'
import { Points } from './points.ts'
import { leastSeen, type WatchedDevice, type WatchedTag, WatchList } from './watched.ts'
import type { EdgeMark } from './work.ts'

/** A clock more than this ahead of the server's is broken, not fast. */
const FURTHEST_AHEAD_MS = 86_400_000

/** The detection of one edge, and the side of it that the commits see. Goes on from the edge's checkpoint. */
export class EdgeShard implements EdgeDetection {
  readonly edge: DetectionEdge
  readonly points: Points
  readonly gaps: Gaps
  /** Samples older than the newest of their tag: the live detector never goes back for them. */
  lateSamples = 0
  /** Samples whose time cannot be: they are not evaluated. */
  implausibleSamples = 0
  /** True when a message came since the start. */
  isHeard = false
  readonly #options: EdgeOptions
  readonly #marks: Marks
  readonly #checkpoint = new PointCheckpoint()
  readonly #tags = new WatchList()
  readonly #devices = new Map<string, WatchedDevice>()
  readonly #machines: Machines
  readonly #eventClock: EventClock
  /** Of the last take, see Memory. */
  #revision: number
  #isMoved = false
  #isStale = false
  /** What is missing of a journal comes later, in order: silence hides nothing. */
  #hasJournal: boolean
  readonly #missing: Missing
  readonly #held = new Held(() => this.waitNoLonger())

  constructor(options: EdgeOptions) {
    this.#options = options
    this.edge = options.edge
    this.points = new Points({ ...options, restored: options.points })
    this.#marks = new Marks(options.marks)
    this.gaps = new Gaps(options.gaps)
    this.#machines = new Machines(options)
    this.#missing = new Missing({ points: this.points, marks: this.#marks, gaps: this.gaps, clock: options.clock })
    this.#eventClock = new EventClock(options.memory?.eventAt ?? null)
    this.#hasJournal = options.marks.size > 0
    this.#revision = options.revision
    // Points and machines are not committed at one moment: the silence may have ended for one of them alone.
    const isMachineSilent = [...options.machines.values()].some(({ state }) => state === 'no-data')
    this.#isStale = isMachineSilent || options.points.some(({ state }) => state.staleSince !== null)
    for (const slot of options.points) this.#device(slot.device)
    for (const device of options.machines.keys()) this.#device(device)
  }

  onBirth(name: string, profile: DeviceProfile | undefined, values: readonly BirthValue[] = []): void {
    this.#hear()
    if (profile) this.bind(name, profile)
    this.#device(name).isDead = false
    this.#endSilence(this.#options.clock(), [name])
    for (const value of values) this.#evaluateBirth(name, value)
  }

  bind(name: string, profile: DeviceProfile): void {
    const device = this.#device(name)
    if (profile !== device.profile) this.#bind(name, device, profile)
  }

  tag(device: string, tag: string): number {
    return this.#tags.number(device, tag)
  }

  onSession(journal: AcceptedOffsets | undefined): void {
    this.#hasJournal = journal !== undefined
    this.#hear()
    if (!journal) return
    const { epoch, first } = journal
    if (this.#marks.isOther(epoch)) this.#missing.all()
    this.#marks.begin(epoch, first)
    this.#eventClock.owes(journal, this.#marks.newest(epoch) ?? first - 1n)
  }

  mayHaveMissed({ epoch, first }: Omit<AcceptedOffsets, 'newest'>): void {
    this.#hasJournal = true
    this.#marks.begin(epoch, first)
    this.#eventClock.mayHaveMissed()
  }

  onSamples({ samples, range }: DetectionBatch): void {
    this.#hear()
    if (range && this.#isAhead(range)) {
      this.#held.add({ samples, range })
      return
    }
    this.#judge({ samples, range })
    this.#judgeHeld()
  }

  #judge({ samples, range }: Pick<DetectionBatch, 'samples'> & { readonly range: OffsetRange | undefined }): void {
    const old = range && this.#overlap(range)
    for (const sample of samples) {
      const tag = this.#tags.at(sample.tag)
      const isOld = old && sample.offset !== undefined && this.#marks.isEvaluated(old.epoch, sample.offset)
      if (tag && !isOld) this.#evaluate(tag, sample)
    }
    this.#pass(range)
  }

  onColumns({ data, tags, range }: DetectionColumns): void {
    this.#hear()
    if (range && this.#isAhead(range)) {
      this.#held.add(copyOf({ data, tags }, range))
      return
    }
    const old = range && this.#overlap(range)
    for (let i = 0; i < data.count; i++) {
      const tag = this.#tags.at(tags.watch[data.slot[i] as number] as number)
      if (!tag || (old && this.#marks.isEvaluated(old.epoch, old.first + BigInt(i)))) continue
      this.#evaluateEntry(tag, data, tags, i)
    }
    this.#pass(range)
    this.#judgeHeld()
  }

  onAlarmEvent(event: AlarmEvent): void {
    this.#hear()
    if (!this.#isPlausible(event.eventAt)) {
      this.implausibleSamples++
      return
    }
    this.#device(event.device)
    this.points.tell(event)
  }

  onGap(range: OffsetRange, device?: string): void {
    this.#missing.close(range, device)
    this.#marks.add(range)
    this.#moved()
    this.#judgeHeld()
  }

  #pass(range: OffsetRange | undefined): void {
    if (range) {
      this.#hasJournal = true
      this.#marks.add(range)
      this.#eventClock.passed((owed) => this.isEvaluated(owed))
    }
    this.#moved()
  }

  onEventTime(at: number): void {
    this.#hear()
    if (!this.#isPlausible(at)) return
    this.#held.heard(at)
    const { at: before } = this.#eventClock
    if (before !== null && at <= before) return
    this.#judgeHeld()
    if (this.#held.note(at)) return
    const hasGap = this.gaps.open.length > 0
    if (!hasGap && this.#eventClock.isAhead(at)) return
    this.#eventClock.move(at)
    if (this.points.tick(at, hasGap ? (slot) => !this.gaps.isBehind(tagOf(slot)) : undefined)) this.#moved()
  }

  onBacklog(at: number): void {
    this.#hear()
    if (!this.#isPlausible(at)) return
    this.#held.heard(at)
    this.#eventClock.backlog(at)
  }

  /** Judges what waits for missing offsets without them. */
  waitNoLonger(): void {
    this.#held.giveUp()
    this.#judgeHeld()
  }

  onStale(at: number, name?: string): void {
    if (name === undefined) this.#isStale = true
    else this.#device(name).isDead = true
    const silence = { kind: 'stale', at, isDeferred: this.#hasJournal } as const
    for (const device of name === undefined ? this.#devices.keys() : [name]) {
      for (const slot of this.points.ofDevice(device)) this.points.feed(slot, silence)
      this.#devices.get(device)?.machine?.silent(at)
    }
    this.#options.idle()
  }

  onFresh(): void {
    this.#hear()
  }

  mark(epoch: bigint, from: bigint): bigint {
    return this.#marks.end(epoch, from)
  }

  /** What changed since the last call, as it stands between two inputs. A change of a machine waits for its mark. */
  take(marks: MarksWanted): EdgeWork {
    this.#revision++
    const changed = this.points.take(this.#revision)
    const hasMark = marks === 'all' || (marks === 'awaited' && this.#machines.hasRows)
    const gaps = this.gaps.take()
    if (!hasMark) return { ...changed, gaps, machines: [], mark: undefined }
    return { ...changed, gaps, machines: this.#machines.takeRows(), mark: this.#takeMark() }
  }

  /** The mark is committed: the acknowledgement to the edge may move. */
  committed({ ranges }: EdgeMark): void {
    this.#marks.committed(ranges)
  }

  /** True when every offset of the range has been evaluated. */
  isEvaluated({ epoch, first, last }: OffsetRange): boolean {
    return this.#marks.hasAll(epoch, first, last)
  }

  /** A gap was judged: that is to be committed. */
  lateJudged(): void {
    this.#moved()
  }

  #moved(): void {
    this.#isMoved = true
    this.#options.idle()
  }

  #takeMark(): EdgeMark | undefined {
    if (!this.#isMoved) return undefined
    this.#isMoved = false
    return {
      ...{ edge: this.edge, revision: this.#revision, eventAt: this.#eventClock.at },
      points: this.#checkpoint.take(this.points.all()),
      machines: this.#machines.takeMemory(),
      ranges: this.#marks.take(),
    }
  }

  #hear(): void {
    this.isHeard = true
    if (!this.#isStale) return
    this.#isStale = false
    this.#endSilence(this.#options.clock(), this.#devices.keys())
  }

  #endSilence(at: number, names: Iterable<string>): void {
    for (const name of names) {
      const device = this.#devices.get(name)
      if (!device || device.isDead) continue
      for (const slot of this.points.ofDevice(name)) this.points.feed(slot, { kind: 'fresh', at })
      device.machine?.heard(at)
    }
    this.#options.idle()
  }

  #device(name: string): WatchedDevice {
    const known = this.#devices.get(name)
    if (known) return known
    const hasStates = this.#options.machines.has(name)
    const device = { isDead: false, profile: undefined, machine: hasStates ? this.#machines.of(name) : undefined }
    this.#devices.set(name, device)
    return device
  }

  #bind(name: string, device: WatchedDevice, profile: DeviceProfile): void {
    this.#tags.forget(name)
    for (const slot of this.points.bind(name, profile)) {
      const tag = this.#tags.of(name, slot.rule.definition.tag)
      tag.points = [...tag.points, slot]
    }
    if (profile.machineState) {
      device.machine ??= this.#machines.of(name)
      device.machine.define(profile.machineState.states)
      this.#tags.of(name, profile.machineState.tag).machine = device.machine
    }
    for (const tag of this.#tags.all()) tag.newestAt = Math.max(tag.newestAt, leastSeen(tag))
    device.profile = profile
    this.#moved()
  }

  /** True for offsets ahead of missing ones that may still come in time. */
  #isAhead(range: OffsetRange): boolean {
    if (this.gaps.open.length > 0 || this.#marks.isNext(range)) return false
    return range.first > (this.#marks.newest(range.epoch) ?? range.first) && !this.#held.isOver
  }

  /** Judges what waited: as far as nothing is missing before it, or all of it when it has waited long enough. */
  #judgeHeld(): void {
    const held = this.#held
    if (held.isEmpty) return
    const { isOver } = held
    const isDue = ({ epoch, first }: OffsetRange) => isOver || first <= (this.#marks.newest(epoch) ?? first) + 1n
    for (let batch = held.next(isDue); batch; batch = held.next(isDue)) this.#judge(batch)
    if (held.isEmpty && held.sentAt !== undefined) this.onEventTime(held.sentAt)
  }

  /** Offsets are skipped: what comes for them later is late, and is judged from where the detectors stand now. */
  #noteHole({ epoch, first }: OffsetRange): void {
    const newest = this.#marks.newest(epoch)
    if (newest !== undefined && first > newest + 1n) this.gaps.skip({ epoch, first: newest + 1n, last: first - 1n })
  }

  /** Notes what is skipped before a range; answers the range when offsets of it were evaluated before. */
  #overlap(range: OffsetRange): OffsetRange | undefined {
    this.#missing.until(range)
    const isNext = this.#marks.isNext(range)
    if (!isNext) this.#noteHole(range)
    if (this.gaps.open.length > 0) this.gaps.arriving(range)
    if (isNext) return undefined
    return this.#marks.overlaps(range) ? range : undefined
  }

  #evaluateEntry(tag: WatchedTag, data: DataColumns, tags: WatchedColumns, i: number): void {
    const at = data.ts[i] as number
    const isNumber = data.q[i] !== 0 && tags.truth[data.slot[i] as number] === 0
    if (isNumber && this.#takeCalmly(tag, at, data.v[i] as number)) return
    this.#evaluate(tag, { sourceAt: at, value: tags.scalarAt(data, i), quality: data.q[i] as Quality })
  }

  /** The same as #evaluate for a number that changes nothing but the newest value; false when it may change more. */
  #takeCalmly(tag: WatchedTag, at: number, value: number): boolean {
    const { points } = tag
    if (tag.machine || this.#mustNote(tag) || at <= tag.newestAt || !this.#isPlausible(at)) return false
    for (const point of points) if (!point.isCalm(value)) return false
    for (const point of points) point.take(at, value)
    tag.newestAt = at
    return true
  }

  #mustNote(tag: WatchedTag): boolean {
    return tag.notedAt !== this.gaps.generation && this.gaps.open.length > 0
  }

  #evaluate(tag: WatchedTag, { sourceAt, value, quality }: Omit<DetectionSample, 'tag'>): void {
    if (!this.#isPlausible(sourceAt)) {
      this.implausibleSamples++
      return
    }
    const input = { kind: 'sample' as const, at: sourceAt, value, quality }
    if (sourceAt <= tag.newestAt) {
      this.lateSamples++
      this.gaps.late(tag, sourceAt, this.#options.clock())
      return
    }
    tag.newestAt = sourceAt
    if (this.#mustNote(tag) && this.gaps.live(tag, sourceAt)) tag.notedAt = this.gaps.generation
    if (this.gaps.open.length > 0 && this.gaps.begins(tag, sourceAt)) this.#beginBehindGap(tag, sourceAt)
    for (const slot of tag.points) this.points.feed(slot, input)
    if (tag.machine && quality !== 0) tag.machine.value(sourceAt, value)
  }

  /** T23; what comes again after a restart breaks nothing off a second time. */
  #beginBehindGap({ points }: WatchedTag, at: number): void {
    for (const slot of points) if ((slot.valueAt ?? at) < at) this.points.feed(slot, { kind: 'gap', at })
  }

  /** One time far in the future would make all that follow late. */
  #isPlausible(at: number): boolean {
    return at >= 0 && at <= this.#options.clock() + FURTHEST_AHEAD_MS
  }

  /** A birth's value counts only where nothing was seen yet: a steady value may not be sent again for long. */
  #evaluateBirth(device: string, { tag, sourceAt, value, quality }: BirthValue): void {
    const watched = this.#tags.at(this.#tags.number(device, tag))
    const input = { kind: 'sample' as const, at: sourceAt, value, quality }
    if (!this.#isPlausible(sourceAt)) return
    for (const slot of watched?.points ?? []) if (slot.state.valueAt === null) this.points.feed(slot, input)
    const isUntold = watched?.machine && !watched.machine.memory()
    if (isUntold && quality !== 0) watched.machine?.value(sourceAt, value)
    this.#moved()
  }
}
