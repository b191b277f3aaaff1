import { type AlarmRule, type AlarmState, calmRange } from '#shared/alarms/index.ts'
import type { DetectionEdge } from './contract.ts'
import type { PointSlot } from './work.ts'

/**
 * An alarm point that takes most samples without the engine: while nothing is pending and a number lies within the limits,
 * only the newest value moves on, and the state object is made when somebody reads it. `andon bench ingest` measures it.
 */
export class AlarmPoint implements PointSlot {
  readonly edge: DetectionEdge
  readonly device: string
  profile: string
  changedAt: number
  isRetired: boolean
  #rule: AlarmRule
  #state: AlarmState
  #above = 0
  #below = 0
  #value = Number.NaN
  #valueAt = 0
  #isAhead = false

  constructor(given: Pick<PointSlot, 'edge' | 'device' | 'profile' | 'rule' | 'state' | 'changedAt' | 'isRetired'>) {
    this.edge = given.edge
    this.device = given.device
    this.profile = given.profile
    this.changedAt = given.changedAt
    this.isRetired = given.isRetired
    this.#rule = given.rule
    this.#state = given.state
    this.#look()
  }

  get rule(): AlarmRule {
    return this.#rule
  }

  set rule(rule: AlarmRule) {
    this.#settle()
    this.#rule = rule
    this.#look()
  }

  get state(): AlarmState {
    this.#settle()
    return this.#state
  }

  set state(state: AlarmState) {
    this.#isAhead = false
    this.#state = state
    this.#look()
  }

  get value(): AlarmState['value'] {
    return this.#isAhead ? this.#value : this.#state.value
  }

  get valueAt(): number | null {
    return this.#isAhead ? this.#valueAt : this.#state.valueAt
  }

  get rate(): AlarmState['rate'] {
    return this.#state.rate
  }

  /** True when a newer sample of this number, good or uncertain, would change nothing else. */
  isCalm(value: number): boolean {
    return value > this.#above && value < this.#below
  }

  /** Takes such a sample; one that is not newer changes nothing. */
  take(at: number, value: number): void {
    if (at <= this.#valueAt) return
    this.#value = value
    this.#valueAt = at
    this.#isAhead = true
  }

  #settle(): void {
    if (!this.#isAhead) return
    this.#isAhead = false
    this.#state = { ...this.#state, value: this.#value, valueAt: this.#valueAt }
  }

  #look(): void {
    const { above, below } = calmRange(this.#rule, this.#state)
    this.#above = above
    this.#below = below
    this.#valueAt = this.#state.valueAt ?? Number.NEGATIVE_INFINITY
  }
}
