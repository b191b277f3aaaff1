import { type LossKind, type MissedTime, NotConnectedError, type Sample } from '#edge/drivers/driver.ts'
import type { EdgeDevice, EdgeTag, TagSample } from '#edge/model.ts'
import type { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import type { DeviceProfile, ProfileTag } from '#shared/contracts/device-profile.ts'
import type { GapRecord } from '#shared/contracts/gap.ts'
import { BAD } from '#shared/contracts/sample.ts'
import type { Log } from '#shared/log/log.ts'
import { createConditionLog, type StandingAlarm } from './condition-events.ts'
import type { ScanConfig } from './config.ts'
import type { WritableModel } from './model.ts'
import { publish } from './publish.ts'
import { bandOf, createReporter, type Reporter } from './report.ts'
import type { Supervised } from './supervise.ts'

/** Samples given to the journal and not yet on disk, of one device, beyond which newer ones are dropped and counted. */
const MOST_IN_FLIGHT = 100_000
/** The journal calls a live sample uncertain when its source time is further than this from its own. */
const TOLERANCE_MS = 2000

/** What one device does, for the local page and the metrics. */
export interface DeviceStatus {
  readonly device: string
  readonly profile: string
  readonly protocol: DeviceProfile['protocol']
  readonly state: 'connecting' | 'answers' | 'lost'
  /** When that began, ms since 1970. */
  readonly since: number
  /** Why the device is lost, in plain words. */
  readonly error?: string
  /** The same as one of a few kinds, each of which has its own next step. */
  readonly lossKind?: LossKind
  readonly failures: number
  readonly lastReadAt?: number
  readonly overruns: number
  readonly read: number
  readonly reported: number
  /** Samples that the journal did not take. */
  readonly refused: number
  /** Tags that are bad although the device answers, with the reason. */
  readonly faults: ReadonlyMap<string, string>
}

export interface DeviceOptions {
  readonly device: EdgeDevice
  readonly profile: DeviceProfile
  /** Place of each tag in the profile; one for all devices of a profile. */
  readonly places: ReadonlyMap<string, number>
  readonly model: WritableModel
  /** Resolves when the samples are on disk. `backfill`: of a time that has passed. */
  readonly sink: (samples: TagSample[], kind?: 'backfill') => Promise<unknown>
  /** Resolves when the gap is on disk. */
  readonly gap: (gap: GapRecord) => Promise<unknown>
  /** Resolves when the alarm event is on disk. */
  readonly alarmEvent: (event: AlarmEvent) => Promise<unknown>
  readonly scan: ScanConfig
  /** Wall clock, ms since 1970. */
  readonly now: () => number
  readonly log: Log
}

interface DeviceState {
  readonly options: DeviceOptions
  /** The device's tags by their place in the profile. */
  readonly tags: readonly (EdgeTag | undefined)[]
  readonly reporter: Reporter
  /** True when a tag is reported through a swinging door. */
  readonly hasDoors: boolean
  readonly faults: Map<string, string>
  state: DeviceStatus['state']
  since: number
  error: Error | undefined
  failures: number
  lastReadAt: number | undefined
  overruns: number
  read: number
  reported: number
  refused: number
  inFlight: number
  isJournalRefusing: boolean
  /** What the journal refused since it last took something. */
  missed: MissedTime | undefined
  /** 1 at the place of each tag that was read since the link stands. */
  readonly seen: Uint8Array
  /** When the device was last recorded as lost, ms since 1970. */
  diedAt: number
}

/** A device as the supervisor feeds it and the agent asks about it. */
export interface OwnedDevice extends Supervised {
  status(): DeviceStatus
  /** An alarm that the device judges itself, by the id of its point. */
  alarm(pointId: string): StandingAlarm | undefined
}

/** Turns what a driver reads into samples of the journal and into the device's life in the model. */
export function createDevice(options: DeviceOptions): OwnedDevice {
  const state = initialState(options)
  const { group, edge } = options.model
  const conditions = createConditionLog({ group, edge, device: options.device.device })
  return {
    async onSamples(samples) {
      const read = tagSamples(state, samples)
      state.lastReadAt = options.now()
      state.read += read.length
      options.model.update(read)
      becomeAlive(state)
      await reportChanges(state, read)
    },
    async onPast(samples) {
      const past = samples.flatMap((sample) => pastSample(state, sample) ?? [])
      state.read += past.length
      await report(state, past, 'backfill')
    },
    onMissed: (missed) => recordGap(state, missed),
    async onConditions(reports) {
      for (const event of reports.flatMap((report) => conditions.take(report, options.now())))
        await recordAlarm(state, event)
    },
    async onLost(error) {
      state.failures++
      const hasAnswered = state.state === 'answers' || state.state === 'connecting'
      state.error = error
      if (!hasAnswered) return
      options.log.warn({ kind: lossKindOf(error), reason: error.message }, 'Device is lost, trying again')
      become(state, 'lost')
      state.seen.fill(0)
      state.faults.clear()
      await die(state)
    },
    onOverrun(count) {
      state.overruns += count
    },
    status: () => statusOf(state),
    alarm: conditions.find,
  }
}

function initialState(options: DeviceOptions): DeviceState {
  const tags = placedTags(options)
  const bands = new Map(
    options.profile.tags.flatMap((profile, place) => {
      const tag = tags[place]
      return tag ? [[tag.id, bandOf(profile)] as const] : []
    }),
  )
  return {
    options,
    tags,
    hasDoors: options.profile.tags.some(({ deadband }) => deadband?.swingingDoor === true),
    reporter: createReporter(bands, options.scan.heartbeatMs),
    faults: new Map(),
    state: 'connecting',
    since: options.now(),
    error: undefined,
    failures: 0,
    lastReadAt: undefined,
    overruns: 0,
    read: 0,
    reported: 0,
    refused: 0,
    inFlight: 0,
    isJournalRefusing: false,
    missed: undefined,
    seen: new Uint8Array(options.profile.tags.length),
    diedAt: 0,
  }
}

function placedTags({ device, profile, places }: DeviceOptions): (EdgeTag | undefined)[] {
  const tags = new Array<EdgeTag | undefined>(profile.tags.length).fill(undefined)
  for (const tag of device.tags) {
    const place = places.get(tag.tag)
    if (place !== undefined) tags[place] = tag
  }
  return tags
}

function become(state: DeviceState, next: DeviceStatus['state']): void {
  state.state = next
  state.since = state.options.now()
}

function becomeAlive(state: DeviceState): void {
  if (state.state === 'answers') return
  become(state, 'answers')
  state.error = undefined
  state.options.log.info('Device answers')
  state.options.model.setAlive(state.options.device.device, true)
}

/** Says once that nothing is known any more: first every tag bad, on disk, and only then the device's death. */
async function die(state: DeviceState): Promise<void> {
  const { device, model, now } = state.options
  if (!model.isAlive(device.device)) return
  const at = now()
  state.diedAt = at
  const bad = device.tags.map((tag): TagSample => ({ tagId: tag.id, sourceAt: at, value: null, quality: BAD }))
  model.update(bad)
  await reportChanges(state, bad)
  model.setAlive(device.device, false)
}

function tagSamples(state: DeviceState, samples: readonly Sample[]): TagSample[] {
  const read = new Array<TagSample>(samples.length)
  const now = state.options.now()
  let count = 0
  for (const sample of samples) {
    const one = tagSample(state, sample, now)
    if (one) read[count++] = one
  }
  read.length = count
  return read
}

function tagSample(state: DeviceState, sample: Sample, now: number): TagSample | undefined {
  const place = state.options.places.get(sample.tag) ?? -1
  const tag = state.tags[place]
  const profile = state.options.profile.tags[place]
  if (!tag || !profile) return undefined
  const published = publish(sample, profile, tag.type)
  if (published.reason === undefined) {
    if (state.faults.size > 0) state.faults.delete(sample.tag)
  } else state.faults.set(sample.tag, published.reason)
  const isFirst = state.seen[place] === 0
  state.seen[place] = 1
  const sourceAt = isFirst ? firstTime(state, sample.sourceAt, now) : sourceTime(state, profile, sample.sourceAt, now)
  return { tagId: tag.id, sourceAt, value: published.value, quality: published.quality }
}

/**
 * The time at which a value was true. A device that reports by itself dates a value to its last change: the standing value
 * found when the link opens, and one that a slow scan class saw late, are true now as well, and are reported as of now. So
 * is one from before the loss that was recorded since: at its old time it stands in history, and the loss came after it.
 */
function firstTime({ diedAt }: DeviceState, sourceAt: number, now: number): number {
  return Math.abs(now - sourceAt) > TOLERANCE_MS || sourceAt <= diedAt ? now : sourceAt
}

function sourceTime({ options }: DeviceState, profile: ProfileTag, sourceAt: number, now: number): number {
  const age = now - sourceAt
  const seenWithin = options.scan[profile.scan ?? 'normal'] + TOLERANCE_MS
  return age > TOLERANCE_MS && age <= seenWithin ? now : sourceAt
}

/** A sample of the device's history: it keeps its time and tells nothing about the tag's state now. */
function pastSample(state: DeviceState, sample: Sample): TagSample | undefined {
  const place = state.options.places.get(sample.tag) ?? -1
  const tag = state.tags[place]
  const profile = state.options.profile.tags[place]
  if (!tag || !profile) return undefined
  const { value, quality } = publish(sample, profile, tag.type)
  return { tagId: tag.id, sourceAt: sample.sourceAt, value, quality }
}

async function recordAlarm({ options }: DeviceState, event: AlarmEvent): Promise<void> {
  try {
    await options.alarmEvent(event)
  } catch (error) {
    options.log.error({ err: error, alarm: event.alarm }, 'The journal refuses an alarm event')
  }
}

async function recordGap({ options }: DeviceState, { from, to, cause, count }: MissedTime): Promise<void> {
  const times = { firstTime: Math.floor(from), lastTime: Math.ceil(to) }
  try {
    await options.gap({ device: options.device.device, first: '0', last: '0', count, cause, ...times })
  } catch (error) {
    options.log.error({ err: error, cause, ...times }, 'The journal refuses a gap record')
  }
}

/** What is worth reporting. A sample that a swinging door held for too long to be live goes before, under its own time. */
async function reportChanges(state: DeviceState, samples: readonly TagSample[]): Promise<void> {
  const reported: TagSample[] = []
  for (const sample of samples) state.reporter.accept(sample, reported)
  if (state.hasDoors) {
    const liveFrom = state.options.now() - TOLERANCE_MS
    const held = reported.filter(
      ({ sourceAt }, i) => sourceAt < liveFrom && reported[i + 1]?.tagId === reported[i]?.tagId,
    )
    await report(state, held, 'backfill')
    return report(state, held.length === 0 ? reported : reported.filter((sample) => !held.includes(sample)))
  }
  await report(state, reported)
}

async function report(state: DeviceState, samples: TagSample[], kind?: 'backfill'): Promise<void> {
  if (samples.length === 0) return
  if (state.inFlight + samples.length > MOST_IN_FLIGHT)
    return refuse(state, samples, new Error('The journal is too slow'))
  state.inFlight += samples.length
  try {
    await state.options.sink(samples, kind)
    state.reported += samples.length
    state.isJournalRefusing = false
    await tellMissed(state)
  } catch (error) {
    refuse(state, samples, error as Error)
  } finally {
    state.inFlight -= samples.length
  }
}

/** What the journal did not take is reported again as soon as it is read again. */
function refuse(state: DeviceState, samples: readonly TagSample[], error: Error): void {
  state.refused += samples.length
  state.missed = missedWith(state.missed, samples)
  for (const sample of samples) state.reporter.forget(sample.tagId)
  if (!state.isJournalRefusing) state.options.log.error({ err: error }, 'The journal refuses samples')
  state.isJournalRefusing = true
}

/** What was refused is a hole in the record: told as soon as the journal takes something again. */
async function tellMissed(state: DeviceState): Promise<void> {
  const { missed } = state
  if (!missed) return
  state.missed = undefined
  await recordGap(state, missed)
}

function missedWith(before: MissedTime | undefined, samples: readonly TagSample[]): MissedTime {
  const times = samples.map(({ sourceAt }) => sourceAt)
  const from = times.reduce((a, b) => Math.min(a, b), before?.from ?? Number.POSITIVE_INFINITY)
  const to = times.reduce((a, b) => Math.max(a, b), before?.to ?? Number.NEGATIVE_INFINITY)
  return { from, to, count: (before?.count ?? 0) + samples.length, cause: 'queue-overflow' }
}

function statusOf(state: DeviceState): DeviceStatus {
  const { options, error, lastReadAt } = state
  return {
    device: options.device.device,
    profile: options.profile.profile,
    protocol: options.profile.protocol,
    state: state.state,
    since: state.since,
    ...(error === undefined ? {} : { error: error.message, lossKind: lossKindOf(error) }),
    failures: state.failures,
    ...(lastReadAt === undefined ? {} : { lastReadAt }),
    overruns: state.overruns,
    read: state.read,
    reported: state.reported,
    refused: state.refused,
    faults: state.faults,
  }
}

const lossKindOf = (error: Error): LossKind => (error instanceof NotConnectedError ? error.kind : 'other')
