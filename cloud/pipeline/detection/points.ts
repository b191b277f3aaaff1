import {
  type AlarmChange,
  type AlarmInput,
  type AlarmState,
  alarmRule,
  catchUp,
  DEVICE_ALARM_VERSION,
  INITIAL_STATE,
  needsTick,
  step,
  uuidV8,
} from '#shared/alarms/index.ts'
import type { AlarmRefusal } from '#shared/contracts/alarm-command.ts'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import type { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { AlarmPoint } from './alarm-point.ts'
import type { DetectionEdge } from './contract.ts'
import { deviceAlarmDefinition, deviceAlarmInput, deviceAlarmKey, isDeviceAlarm, isRedefined } from './device-alarm.ts'
import type { Batch, LateOccurrence, LoggedEvent, PointSlot } from './work.ts'

export interface PointsOptions {
  readonly edge: DetectionEdge
  readonly restored: readonly PointSlot[]
  /** ms since 1970 */
  readonly clock: () => number
  /** The point's state changed; so may have its firing on the server's clock. */
  readonly changed: (slot: PointSlot, points: Points) => void
  /** An event waits for its commit. */
  readonly urgent: () => void
}

/** True when a part of the state differs that every sample does not change. */
function isOtherRegion(a: AlarmState, b: AlarmState): boolean {
  const isSameCondition = a.phase === b.phase && a.since === b.since && a.level === b.level
  const isSameQuality = a.isBad === b.isBad && a.staleSince === b.staleSince
  return !(isSameCondition && isSameQuality && a.occurrence === b.occurrence && a.fleetingBlocked === b.fleetingBlocked)
}

/** Delays of several points that end by one tick are logged as they ended, whichever point was the first to wait. */
const byEventTime = ({ event: a }: LoggedEvent, { event: b }: LoggedEvent) =>
  a.eventAt - b.eventAt || (a.pointId < b.pointId ? -1 : Number(a.pointId > b.pointId))

/** The alarm points of one edge. Restored points wait for the birth of their device. */
export class Points {
  readonly #options: PointsOptions
  readonly #byPath = new Map<string, PointSlot>()
  readonly #byDevice = new Map<string, PointSlot[]>()
  readonly #ticking = new Set<PointSlot>()
  readonly #dirty = new Set<PointSlot>()
  #events: LoggedEvent[] = []
  #bound: PointSlot[] = []
  #late: LateOccurrence[] = []

  constructor(options: PointsOptions) {
    this.#options = options
    for (const slot of options.restored) this.#adopt(slot)
  }

  all(): Iterable<PointSlot> {
    return this.#byPath.values()
  }

  ofDevice(device: string): readonly PointSlot[] {
    return this.#byDevice.get(device) ?? []
  }

  /** Makes the points of a device's profile, or renews their definitions; points that the profile no longer has retire. */
  bind(device: string, profile: DeviceProfile): readonly PointSlot[] {
    const slots = (profile.alarms ?? []).map((definition) => this.#bindOne(device, profile, definition))
    for (const slot of this.ofDevice(device)) if (!slots.includes(slot) && !isDeviceAlarm(slot)) this.#retire(slot)
    if (slots.length > 0) this.#options.urgent()
    return slots
  }

  /** What a device says of an alarm that it judges itself; its point is made with the first word of it. */
  tell(event: AlarmEvent): void {
    const slot = this.#pointOf(event)
    const input = deviceAlarmInput(slot, event)
    if (input) this.feed(slot, input)
  }

  #pointOf(event: AlarmEvent): PointSlot {
    const { edge, urgent } = this.#options
    const device = `${edge.group}/${edge.edge}/${event.device}`
    const known = this.#byPath.get(`${device}/${deviceAlarmKey(event)}`)
    if (known && !isRedefined(known.rule.definition, event)) return known
    urgent()
    // No two devices share a definition: each has its own in the place of a profile's.
    const about = { profile: device, version: DEVICE_ALARM_VERSION }
    return this.#bindOne(event.device, about, deviceAlarmDefinition(event))
  }

  /** One input for one point; answers why an operator's action was refused. */
  feed(slot: PointSlot, input: AlarmInput): AlarmRefusal | undefined {
    const before = slot.state
    const { state, events, refusal } = step(slot.rule, before, input)
    if (state === before) return refusal
    slot.state = state
    if (events.length > 0) this.#record(slot, events)
    if (events.length > 0 || isOtherRegion(before, state)) {
      this.#dirty.add(slot)
      this.#watch(slot)
    } else if (before.value === null) this.#watch(slot)
    return refusal
  }

  /** Moves the event clock of the points that wait for it, of those that may; false when none waits. */
  tick(at: number, may?: (slot: PointSlot) => boolean): boolean {
    const before = this.#events.length
    for (const slot of this.#ticking) if (!may || may(slot)) this.feed(slot, { kind: 'tick', at })
    if (this.#events.length > before + 1) this.#events.push(...this.#events.splice(before).sort(byEventTime))
    return this.#ticking.size > 0
  }

  /** What changed since the last call, as it stands now; `revision` is the edge's, see Memory. */
  take(revision: number): Pick<Batch, 'events' | 'points' | 'bound' | 'late'> {
    const points = [...this.#dirty].map((slot) => ({ slot, state: slot.state, changedAt: slot.changedAt, revision }))
    const taken = { events: this.#events, points, bound: this.#bound, late: this.#late }
    this.#dirty.clear()
    this.#events = []
    this.#bound = []
    this.#late = []
    return taken
  }

  #watch(slot: PointSlot): void {
    if (needsTick(slot.rule, slot.state)) this.#ticking.add(slot)
    else this.#ticking.delete(slot)
    this.#options.changed(slot, this)
  }

  #adopt(slot: PointSlot): void {
    this.#byPath.set(slot.rule.path, slot)
    this.#byDevice.set(slot.device, [...this.ofDevice(slot.device), slot])
    this.#watch(slot)
  }

  #bindOne(
    device: string,
    profile: Pick<DeviceProfile, 'profile' | 'version'>,
    definition: AlarmDefinition,
  ): PointSlot {
    const { edge, clock } = this.#options
    const path = `${edge.group}/${edge.edge}/${device}/${definition.alarm}`
    const rule = alarmRule(path, profile.version, definition)
    const known = this.#byPath.get(path)
    const slot =
      known ??
      new AlarmPoint({
        ...{ edge, device, rule },
        profile: '',
        state: INITIAL_STATE,
        changedAt: clock(),
        isRetired: false,
      })
    Object.assign(slot, { rule, profile: profile.profile, isRetired: false })
    if (known) this.#watch(slot)
    else this.#adopt(slot)
    this.#bound.push(slot)
    this.#dirty.add(slot)
    return slot
  }

  #retire(slot: PointSlot): void {
    if (slot.isRetired) return
    slot.isRetired = true
    slot.changedAt = this.#options.clock()
    this.#dirty.add(slot)
    this.#watch(slot)
  }

  /** Logs occurrences of the past. They change no state and call nobody. */
  recordLate(found: readonly LateOccurrence[]): void {
    for (const late of found) {
      const { activated, returned, slot } = late
      const closed = { ...returned, transition: 'closed' as const, state: 'A' as const }
      const id = uuidV8('alarm-event', returned.id, 'closed')
      for (const change of [activated, returned, { ...closed, id }]) {
        const event = { ...change, ...this.#where(slot), isAnnunciated: false, isRaised: false, isLate: true }
        this.#events.push({ org: this.#options.edge.org, version: slot.rule.version, event })
      }
      this.#late.push(late)
    }
    if (found.length > 0) this.#options.urgent()
  }

  /** Brings a point to the condition that a replay of late samples ended with. */
  catchUp(slot: PointSlot, replayed: AlarmState): void {
    const { state, events } = catchUp(slot.rule, slot.state, replayed)
    if (state === slot.state) return
    slot.state = state
    this.#record(slot, events, true)
    this.#dirty.add(slot)
    this.#watch(slot)
  }

  #where({ device, rule: { definition } }: PointSlot) {
    const { edge, clock } = this.#options
    const { tag, alarm } = definition
    return { group: edge.group, edge: edge.edge, device, tag, alarm, recordedAt: clock() }
  }

  #record(slot: PointSlot, changes: readonly AlarmChange[], isLate = false): void {
    for (const change of changes) {
      const event = { ...change, ...this.#where(slot), isLate }
      this.#events.push({ org: this.#options.edge.org, version: slot.rule.version, event })
      slot.changedAt = change.eventAt
    }
    this.#options.urgent()
  }
}
