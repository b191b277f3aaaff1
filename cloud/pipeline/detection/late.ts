import { type AlarmChange, type AlarmState, INITIAL_STATE, step } from '#shared/alarms/index.ts'
import type { Quality, Scalar } from '#shared/contracts/sample.ts'
import type { LateOccurrence, PointSlot } from './work.ts'

/** A gap that does not close is evaluated this long after its first late sample. */
export const LATE_WAIT_MS = 600_000
/** Most late samples that wait in memory; what comes beyond is in history alone. */
const MOST_WAITING = 500_000

/** A value with its time, as the replay takes it. */
export interface LateSample {
  readonly at: number
  readonly value: Scalar
  readonly quality: Quality
}

/** Whatever late samples are gathered by. */
export interface LateTag {
  readonly points: readonly PointSlot[]
}

/** Where the detectors stood before offsets went missing, and what has come of them since. */
export class LateGap {
  /** First offset that was missing. */
  readonly from: bigint
  readonly epoch: bigint
  /** Server time of the first late sample. */
  firstLateAt: number | undefined
  /** Late samples that found no room. */
  overflow = 0
  readonly #before: ReadonlyMap<PointSlot, AlarmState>
  readonly #late = new Map<LateTag, LateSample[]>()
  readonly #firstLive = new Map<LateTag, LateSample>()
  #waiting = 0

  constructor(epoch: bigint, from: bigint, slots: Iterable<PointSlot>) {
    this.epoch = epoch
    this.from = from
    this.#before = new Map([...slots].map((slot) => [slot, slot.state]))
  }

  /** The live detector went on with this sample; the first of a tag ends what is late for it. */
  live(tag: LateTag, sample: LateSample): void {
    if (!this.#firstLive.has(tag)) this.#firstLive.set(tag, sample)
  }

  late(tag: LateTag, sample: LateSample, now: number): void {
    this.firstLateAt ??= now
    if (this.#waiting >= MOST_WAITING) {
      this.overflow++
      return
    }
    this.#waiting++
    const known = this.#late.get(tag)
    if (known) known.push(sample)
    else this.#late.set(tag, [sample])
  }

  /** Evaluates what was late, from where the detectors stood; occurrences that began and ended within it. */
  replay(): LateOccurrence[] {
    return [...this.#late].flatMap(([tag, samples]) => {
      const live = this.#firstLive.get(tag)
      const inOrder = [...samples, ...(live ? [live] : [])].sort((a, b) => a.at - b.at)
      return tag.points.flatMap((slot) => replayPoint(slot, this.#before.get(slot), inOrder))
    })
  }
}

/** The condition alone goes on: what operators did belongs to the live point. */
function conditionOf(before: AlarmState): AlarmState {
  const { phase, level, since, isBad, value, valueAt, rate } = before
  return { ...INITIAL_STATE, phase, level, since, isBad, value, valueAt, rate }
}

/** Forgets what operators would still have to do: an occurrence of the past is closed when it returns. */
const closed = (state: AlarmState): AlarmState => ({
  ...{ ...state, occurrence: null },
  ...{ isAcked: true, isConfirmed: true, latchedSince: null },
})

/** Where the detector stood is unknown after a restart within the gap: the first sample only tells where it begins. */
function begin(slot: PointSlot, before: AlarmState | undefined, first: LateSample): AlarmState {
  if (before) return conditionOf(before)
  return closed(step(slot.rule, INITIAL_STATE, { kind: 'sample', ...first }).state)
}

function replayPoint(
  slot: PointSlot,
  before: AlarmState | undefined,
  samples: readonly LateSample[],
): LateOccurrence[] {
  const [first] = samples
  if (!first) return []
  const found: LateOccurrence[] = []
  let state = begin(slot, before, first)
  let activated: AlarmChange | undefined
  for (const sample of samples) {
    const result = step(slot.rule, state, { kind: 'sample', ...sample })
    state = result.state
    activated = result.events.find(({ transition }) => transition === 'activated') ?? activated
    const returned = result.events.find(({ transition }) => transition === 'returned')
    if (!returned) continue
    if (activated) found.push({ slot, activated, returned })
    activated = undefined
    state = closed(state)
  }
  return found
}
