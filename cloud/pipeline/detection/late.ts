import {
  type AlarmChange,
  type AlarmInput,
  type AlarmRule,
  type AlarmState,
  INITIAL_STATE,
  isActive,
  nextEventAt,
  step,
} from '#shared/alarms/index.ts'
import type { Quality, Scalar } from '#shared/contracts/sample.ts'

/** A value with its time, as the replay takes it. */
export interface LateSample {
  readonly at: number
  readonly value: Scalar
  readonly quality: Quality
}

/** Where the replay of one point stands. Plain JSON. */
export interface Replayed {
  readonly state: AlarmState
  /** Where the live detector stood before the gap; absent while that is the same. */
  readonly live?: AlarmState
  /** The newest activation that has not returned. */
  readonly activated?: AlarmChange
}

/** An occurrence that began and ended in the past. */
export interface PastOccurrence {
  readonly activated: AlarmChange
  readonly returned: AlarmChange
}

/** The samples of a tag that the live detector did not see in their turn. */
export interface LateSpan {
  /** Source time of the first sample that the live detector took after the gap. */
  readonly liveAt: number
  /** Newest source time of a late sample. */
  readonly lateTo: number
}

/** The condition alone goes on: what operators did belongs to the live point. */
export function conditionOf(live: AlarmState): AlarmState {
  const { phase, level, since, isBad, value, valueAt, rate } = live
  return { ...INITIAL_STATE, phase, level, since, isBad, value, valueAt, rate }
}

/** Forgets what operators would still have to do: an occurrence of the past is closed when it returns. */
const closed = (state: AlarmState): AlarmState => ({
  ...{ ...state, occurrence: null },
  ...{ isAcked: true, isConfirmed: true, latchedSince: null },
})

/**
 * Judges the samples of one point in the order of their time, from where its detector stood before a gap. A twin that takes only
 * what the live detector took goes beside it: once both agree after the gap, the live detector stands where it would have stood
 * with all samples, and the replay is done. Pure; samples may come in parts.
 */
export class Replay {
  readonly found: PastOccurrence[] = []
  #state: AlarmState
  #activated: AlarmChange | undefined
  #twin: AlarmState
  #isDone = false
  readonly #rule: AlarmRule
  readonly #span: LateSpan

  constructor(rule: AlarmRule, from: Replayed, span: LateSpan) {
    this.#rule = rule
    this.#span = span
    this.#state = from.state
    this.#activated = from.activated
    this.#twin = from.live ?? from.state
  }

  /** The live detector agrees: no sample after this changes what was found. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** Where the replay stands, for another part of the same gap. */
  get replayed(): Replayed {
    return { state: this.#state, live: this.#twin, ...(this.#activated ? { activated: this.#activated } : {}) }
  }

  /** Takes the next sample. */
  take(sample: LateSample): void {
    if (this.#isDone) return
    const isLive = sample.at >= this.#span.liveAt
    const wasLive = isLive && isActive(this.#twin)
    if (isLive) this.#takeLive(sample)
    this.#step(sample, wasLive)
    this.#isDone = isLive && sample.at >= this.#span.lateTo && isActive(this.#state) === isActive(this.#twin)
  }

  /** The live detector's delays began anew with its first sample behind the gap. */
  #takeLive(sample: LateSample): void {
    const { valueAt } = this.#twin
    const isFirst = valueAt === null || valueAt < this.#span.liveAt
    const twin = isFirst ? step(this.#rule, this.#twin, { kind: 'gap', at: sample.at }).state : this.#twin
    this.#twin = closedIfNormal(step(this.#rule, twin, { kind: 'sample', ...sample }).state)
  }

  /** Takes the newest value of the live detector, which history may not have yet: with it a
   * return may be found. */
  takeNewest(sample: LateSample): void {
    if (!this.#isDone && sample.at > (this.#state.valueAt ?? Number.NEGATIVE_INFINITY)) this.#step(sample, false)
  }

  /** Delays and windows end one by one, so that each occurrence is closed before the next begins. */
  #step(sample: LateSample, isTold: boolean): void {
    for (let due = this.#dueAt(); due !== null && due <= sample.at; due = this.#dueAt()) {
      this.#take({ kind: 'tick', at: due }, isTold)
    }
    this.#take({ kind: 'sample', ...sample }, isTold)
  }

  #dueAt(): number | null {
    return nextEventAt(this.#rule, this.#state)
  }

  /** What the live detector raised by itself, it also ends by itself. */
  #take(input: AlarmInput, isTold: boolean): void {
    const { state, events } = step(this.#rule, this.#state, input)
    this.#state = closedIfNormal(state)
    for (const change of events) {
      if (change.transition === 'activated') this.#activated = change
      if (change.transition !== 'returned') continue
      if (this.#activated && !isTold) this.found.push({ activated: this.#activated, returned: change })
      this.#activated = undefined
    }
  }
}

const closedIfNormal = (state: AlarmState) => (isActive(state) || state.occurrence === null ? state : closed(state))
