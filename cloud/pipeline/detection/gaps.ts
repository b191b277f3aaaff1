import { type AlarmState, INITIAL_STATE } from '#shared/alarms/index.ts'
import type { OffsetRange } from './contract.ts'
import { conditionOf, type Replayed } from './late.ts'
import type { PointSlot } from './work.ts'

/** A gap that does not close is judged this long after its first late sample, as far as it has come. */
export const LATE_WAIT_MS = 600_000
/** Gaps of one edge that are told apart; a further one joins the newest. */
const MOST_GAPS = 64

/** A tag that went on after a gap. */
export interface GapTag {
  readonly device: string
  readonly tag: string
  /** Source time of its first sample after the gap. */
  readonly liveAt: number
  /** Samples of before that came late. */
  isLate: boolean
  /** Where the detector of each point stood before the gap, by point id; a part that is judged moves it on. */
  points: ReadonlyMap<string, Replayed>
}

/** A run of offsets that was skipped, until what comes for it is judged. */
export interface LateGap extends OffsetRange {
  last: bigint
  /** Server time of the first late sample that has not been judged. */
  firstLateAt: number | null
  /** Source times of the late samples. */
  lateFrom: number | null
  lateTo: number | null
  readonly tags: Map<string, GapTag>
}

/** A gap as a commit writes it, with those of its tags that changed. */
export interface GapEdit {
  readonly gap: Readonly<Omit<LateGap, 'tags'>>
  readonly tags: readonly Readonly<GapTag>[]
}

/** What a commit writes of gaps. */
export interface GapWork {
  /** Must be there before the events of the samples that came after the gap. */
  readonly noted: readonly GapEdit[]
  /** Must not be there before the events that the replay found. */
  readonly judged: readonly GapEdit[]
  readonly closed: readonly OffsetRange[]
}

interface TagOf {
  readonly device: string
  readonly name: string
  readonly points: readonly PointSlot[]
}

/** Silence is not judged by samples: its firings on the server's clock stand in the log. */
const isJudged = ({ rule }: PointSlot) => rule.condition.kind !== 'no-data'

/** The gaps of one edge. Where detectors stood is noted for a tag when its first sample after the gap comes, and not before. */
export class Gaps {
  /** Grows with each gap: a tag that was noted at the present number has nothing more to note. */
  generation = 0
  readonly #open: LateGap[]
  readonly #noted = new Map<LateGap, Set<GapTag>>()
  readonly #judged = new Map<LateGap, Set<GapTag>>()
  #closed: OffsetRange[] = []
  #arriving: OffsetRange | undefined
  /** The gap of the payload that is being taken. */
  #current: LateGap | undefined

  constructor(restored: readonly LateGap[]) {
    this.#open = [...restored]
    this.generation = restored.length
  }

  get open(): readonly LateGap[] {
    return this.#open
  }

  /** Offsets were skipped. */
  skip({ epoch, first, last }: OffsetRange): void {
    if (this.#open.some((gap) => gap.epoch === epoch && gap.first === first)) return
    const newest = this.#open.at(-1)
    if (newest?.epoch === epoch && this.#open.length >= MOST_GAPS) {
      newest.last = last
      this.#note(newest)
      return
    }
    const gap = { epoch, first, last, firstLateAt: null, lateFrom: null, lateTo: null, tags: new Map() }
    this.#open.push(gap)
    this.generation++
    this.#note(gap)
  }

  /** A payload with these offsets is being taken: late samples are of the gap that it falls into. */
  arriving(range: OffsetRange): void {
    const { epoch, first, last } = range
    this.#arriving = range
    this.#current = this.#open.find((gap) => gap.epoch === epoch && gap.first <= last && gap.last >= first)
  }

  /** The live detector is about to take a sample; true when the tag is noted for every open gap. */
  live({ device, name, points }: TagOf, at: number): boolean {
    const key = `${device}/${name}`
    const missing = this.#open.filter((gap) => !gap.tags.has(key))
    const passed = missing.filter((gap) => this.#isPast(gap))
    for (const gap of passed) {
      const before = points
        .filter(isJudged)
        .map(({ rule, state }) => [rule.pointId, { state: conditionOf(state) }] as const)
      const tag = { device, tag: name, liveAt: at, isLate: false, points: new Map(before) }
      gap.tags.set(key, tag)
      this.#note(gap, tag)
    }
    return passed.length === missing.length
  }

  /** True when the sample of that time is the first of the tag behind a gap. */
  begins({ device, name }: Pick<TagOf, 'device' | 'name'>, at: number): boolean {
    return this.#open.some(({ tags }) => tags.get(`${device}/${name}`)?.liveAt === at)
  }

  /** True while the tag (`device/tag`) has no sample behind some gap: what it did meanwhile is not known. */
  isBehind(tag: string): boolean {
    return this.#open.some(({ tags }) => !tags.has(tag))
  }

  /** True when offsets of the range are of an open gap behind which the tag (`device/tag`) has no sample. */
  lacks({ epoch, first, last }: OffsetRange, tag: string): boolean {
    return this.#open.some((gap) => gap.epoch === epoch && gap.first <= last && gap.last >= first && !gap.tags.has(tag))
  }

  /** What comes again after a restart may be of before a gap that is known already. */
  #isPast({ epoch, last }: LateGap): boolean {
    return this.#arriving !== undefined && (this.#arriving.epoch !== epoch || this.#arriving.first > last)
  }

  /** A sample came that the live detector does not take any more; false when no gap explains it. */
  late({ device, name }: TagOf, at: number, now: number): boolean {
    const gap = this.#current
    const tag = gap?.tags.get(`${device}/${name}`)
    if (!gap || !tag) return false
    gap.firstLateAt ??= now
    gap.lateFrom = Math.min(gap.lateFrom ?? at, at)
    gap.lateTo = Math.max(gap.lateTo ?? at, at)
    if (tag.isLate) this.#note(gap)
    else this.#note(gap, tag)
    tag.isLate = true
    return true
  }

  /** A part of a gap is judged: its tags go on from where the replay has come to. */
  judged(gap: LateGap, tag: GapTag, points: ReadonlyMap<string, Replayed>): void {
    tag.points = points
    tag.isLate = false
    this.#noted.get(gap)?.delete(tag)
    mark(this.#judged, gap, tag)
  }

  /** All that had come is judged; what comes later waits anew. */
  rest(gap: LateGap): void {
    Object.assign(gap, { firstLateAt: null, lateFrom: null, lateTo: null })
    mark(this.#judged, gap)
  }

  close(gap: LateGap): void {
    const place = this.#open.indexOf(gap)
    if (place < 0) return
    this.#open.splice(place, 1)
    if (this.#current === gap) this.#current = undefined
    this.#noted.delete(gap)
    this.#judged.delete(gap)
    this.#closed.push({ epoch: gap.epoch, first: gap.first, last: gap.last })
  }

  /** What changed since the last call, as it stands now. */
  take(): GapWork {
    const work = { noted: editsOf(this.#noted), judged: editsOf(this.#judged), closed: this.#closed }
    this.#noted.clear()
    this.#judged.clear()
    this.#closed = []
    return work
  }

  #note(gap: LateGap, tag?: GapTag): void {
    mark(this.#noted, gap, tag)
  }
}

function mark(changed: Map<LateGap, Set<GapTag>>, gap: LateGap, tag?: GapTag): void {
  const tags = changed.get(gap) ?? new Set()
  if (tag) tags.add(tag)
  changed.set(gap, tags)
}

const editsOf = (changed: ReadonlyMap<LateGap, ReadonlySet<GapTag>>): GapEdit[] =>
  [...changed].map(([{ tags: _, ...gap }, tags]) => ({ gap, tags: [...tags].map((tag) => ({ ...tag })) }))

/** A state without what it has in common with one that has seen nothing. */
export const trimmed = (state: AlarmState): Partial<AlarmState> =>
  Object.fromEntries(Object.entries(state).filter(([key, value]) => value !== INITIAL_STATE[key as keyof AlarmState]))
