import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { Quality } from '#shared/contracts/sample.ts'
import type { DataColumns } from '#shared/sparkplug/columns.ts'
import { PointCheckpoint } from './checkpoint.ts'
import type { MarksWanted } from './committer.ts'
import type {
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
import { Gaps } from './gaps.ts'
import { copyOf, Held } from './held.ts'
import { createMachine, type Machine } from './machine.ts'
import { Marks } from './marks.ts'
import { Points } from './points.ts'
import type { MachineMemory } from './tables.ts'
import { leastSeen, type WatchedDevice, type WatchedTag } from './watched.ts'
import type { EdgeMark, MachineRow } from './work.ts'

/** A clock more than this ahead of the server's is broken, not fast. */
const FURTHEST_AHEAD_MS = 86_400_000

/** After historical samples, more of them may still follow for this long. */
const BACKLOG_PAUSE_MS = 2000

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
  readonly #tags: WatchedTag[] = []
  readonly #numbers = new Map<string, number>()
  readonly #devices = new Map<string, WatchedDevice>()
  #machineRows: MachineRow[] = []
  #eventAt: number | null
  /** Of the last take, see Memory. */
  #revision: number
  /** Machine memory as the last commit wrote it. */
  #writtenMachines = ''
  #isMoved = false
  #isStale = false
  #backlogAt = Number.NEGATIVE_INFINITY
  readonly #held = new Held(() => this.#judgeHeld())

  constructor(options: EdgeOptions) {
    this.#options = options
    this.edge = options.edge
    this.points = new Points({ ...options, restored: options.points })
    this.#marks = new Marks(options.marks)
    this.gaps = new Gaps(options.gaps)
    this.#eventAt = options.memory?.eventAt ?? null
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
    return this.#numbers.get(`${device}/${tag}`) ?? -1
  }

  onSamples({ samples, range }: DetectionBatch): void {
    this.#hear()
    if (range && this.#isAhead(range)) {
      this.#held.add({ samples, range }, this.#options.clock())
      return
    }
    this.#judge({ samples, range })
    this.#judgeHeld()
  }

  #judge({ samples, range }: Pick<DetectionBatch, 'samples'> & { readonly range: OffsetRange | undefined }): void {
    const old = range && this.#overlap(range)
    for (const sample of samples) {
      const tag = this.#tags[sample.tag]
      const isOld = old && sample.offset !== undefined && this.#marks.isEvaluated(old.epoch, sample.offset)
      if (tag && !isOld) this.#evaluate(tag, sample)
    }
    this.#pass(range)
  }

  onColumns({ data, tags, range }: DetectionColumns): void {
    this.#hear()
    if (range && this.#isAhead(range)) {
      this.#held.add(copyOf({ data, tags }, range), this.#options.clock())
      return
    }
    const old = range && this.#overlap(range)
    for (let i = 0; i < data.count; i++) {
      const tag = this.#tags[tags.watch[data.slot[i] as number] as number]
      if (!tag || (old && this.#marks.isEvaluated(old.epoch, old.first + BigInt(i)))) continue
      this.#evaluateEntry(tag, data, tags, i)
    }
    this.#pass(range)
    this.#judgeHeld()
  }

  onGap(range: OffsetRange): void {
    this.#pass(range)
    this.#judgeHeld()
  }

  #pass(range: OffsetRange | undefined): void {
    if (range) this.#marks.add(range)
    this.#moved()
  }

  onEventTime(at: number): void {
    this.#hear()
    if (!this.#isPlausible(at) || (this.#eventAt !== null && at <= this.#eventAt)) return
    this.#judgeHeld()
    if (this.#held.note(at)) return
    if (this.gaps.open.length === 0 && at - this.#backlogAt < BACKLOG_PAUSE_MS) return
    this.#eventAt = at
    if (this.points.tick(at)) this.#moved()
  }

  onBacklog(at: number): void {
    this.#hear()
    if (this.#isPlausible(at)) this.#backlogAt = Math.max(this.#backlogAt, at)
  }

  onStale(at: number, name?: string): void {
    if (name === undefined) this.#isStale = true
    else this.#device(name).isDead = true
    for (const device of name === undefined ? this.#devices.keys() : [name]) {
      for (const slot of this.points.ofDevice(device)) this.points.feed(slot, { kind: 'stale', at })
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
    const hasMark = marks === 'all' || (marks === 'awaited' && this.#machineRows.length > 0)
    const gaps = this.gaps.take()
    if (!hasMark) return { ...changed, gaps, machines: [], mark: undefined }
    const work = { ...changed, gaps, machines: this.#machineRows, mark: this.#takeMark() }
    this.#machineRows = []
    return work
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
      ...{ edge: this.edge, revision: this.#revision, eventAt: this.#eventAt },
      points: this.#checkpoint.take(this.points.all()),
      machines: this.#changedMachines(),
      ranges: this.#marks.take(),
    }
  }

  #changedMachines(): Record<string, MachineMemory> | undefined {
    const machines = this.#machineMemory()
    const text = JSON.stringify(machines)
    if (text === this.#writtenMachines) return undefined
    this.#writtenMachines = text
    return machines
  }

  #machineMemory(): Record<string, MachineMemory> {
    const known = [...this.#devices].flatMap(([name, { machine }]) => {
      const memory = machine?.memory()
      return memory ? [[name, memory] as const] : []
    })
    return { ...this.#options.memory?.machines, ...Object.fromEntries(known) }
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
    const device = { isDead: false, profile: undefined, machine: hasStates ? this.#machine(name) : undefined }
    this.#devices.set(name, device)
    return device
  }

  #machine(device: string): Machine {
    return createMachine({
      edge: this.edge,
      device,
      present: this.#options.machines.get(device),
      memory: this.#options.memory?.machines[device],
      changed: (row) => {
        this.#machineRows.push(row)
        this.#options.urgent()
      },
    })
  }

  #bind(name: string, device: WatchedDevice, profile: DeviceProfile): void {
    for (const [key, number] of this.#numbers) {
      const tag = this.#tags[number]
      if (tag && key.startsWith(`${name}/`)) Object.assign(tag, { points: [], machine: undefined })
    }
    for (const slot of this.points.bind(name, profile)) {
      const tag = this.#watched(name, slot.rule.definition.tag)
      tag.points = [...tag.points, slot]
    }
    if (profile.machineState) {
      device.machine ??= this.#machine(name)
      device.machine.define(profile.machineState.states)
      this.#watched(name, profile.machineState.tag).machine = device.machine
    }
    for (const tag of this.#tags) tag.newestAt = Math.max(tag.newestAt, leastSeen(tag))
    device.profile = profile
    this.#moved()
  }

  #watched(device: string, tag: string): WatchedTag {
    const key = `${device}/${tag}`
    const known = this.#tags[this.#numbers.get(key) ?? -1]
    if (known) return known
    const watched: WatchedTag = {
      ...{ device, name: tag, points: [], machine: undefined },
      ...{ newestAt: Number.NEGATIVE_INFINITY, notedAt: 0 },
    }
    this.#numbers.set(key, this.#tags.length)
    this.#tags.push(watched)
    return watched
  }

  /** True for offsets ahead of missing ones that may still come in time. */
  #isAhead(range: OffsetRange): boolean {
    if (this.gaps.open.length > 0 || this.#marks.isNext(range)) return false
    return range.first > (this.#marks.newest(range.epoch) ?? range.first) && !this.#held.isOver(this.#options.clock())
  }

  /** Judges what waited: as far as nothing is missing before it, or all of it when it has waited long enough. */
  #judgeHeld(): void {
    const held = this.#held
    if (held.isEmpty) return
    const isOver = held.isOver(this.#options.clock())
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
    for (const slot of tag.points) this.points.feed(slot, input)
    if (tag.machine && quality !== 0) tag.machine.value(sourceAt, value)
  }

  /** One time far in the future would make all that follow late. */
  #isPlausible(at: number): boolean {
    return at >= 0 && at <= this.#options.clock() + FURTHEST_AHEAD_MS
  }

  /** A birth's value counts only where nothing was seen yet: a steady value may not be sent again for long. */
  #evaluateBirth(device: string, { tag, sourceAt, value, quality }: BirthValue): void {
    const watched = this.#tags[this.#numbers.get(`${device}/${tag}`) ?? -1]
    const input = { kind: 'sample' as const, at: sourceAt, value, quality }
    if (!this.#isPlausible(sourceAt)) return
    for (const slot of watched?.points ?? []) if (slot.state.valueAt === null) this.points.feed(slot, input)
    const isUntold = watched?.machine && !watched.machine.memory()
    if (isUntold && quality !== 0) watched.machine?.value(sourceAt, value)
    this.#moved()
  }
}
