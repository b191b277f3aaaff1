import { setTimeout as wait } from 'node:timers/promises'
import {
  type AnyDriver,
  type ConditionReport,
  type MissedTime,
  NotConnectedError,
  type Sample,
  type SubscriptionReports,
  type Turn,
} from '#edge/drivers/driver.ts'
import type { Log } from '#shared/log/log.ts'
import type { BackOff } from './back-off.ts'
import { createSchedule } from './schedule.ts'

/** Tags of one device that are read together. */
export interface ScanGroup {
  readonly scan: Turn['scan']
  readonly periodMs: number
  /** Tag → the driver's own address. */
  readonly tags: ReadonlyMap<string, unknown>
}

/** What a supervisor tells its owner, in the order in which it happens. None of it may throw. */
export interface Supervised {
  /** Samples came. The first of them after a failure means that the device answers again. A polled device is read again only when this has resolved. */
  onSamples(samples: readonly Sample[]): Promise<void>
  /** Samples of a time that has passed, which the device's own history gave. They say nothing about now. */
  onPast(samples: readonly Sample[]): Promise<void>
  /** Samples that the device had may be missing. */
  onMissed(missed: MissedTime): Promise<void>
  /** The device's own alarms changed, or stand again after an interruption. */
  onConditions(conditions: readonly ConditionReport[]): Promise<void>
  /** The device does not answer; the next attempt comes at `retryAt` (monotonic ms). */
  onLost(error: Error, retryAt: number): Promise<void>
  onOverrun(count: number): void
}

export interface SuperviseOptions {
  readonly driver: AnyDriver
  readonly groups: readonly ScanGroup[]
  readonly backOff: BackOff
  /** Where in each period this device is read, from 0 to below 1. */
  readonly phase?: number
  /** Clock that never jumps, ms. */
  readonly monotonic: () => number
  readonly owner: Supervised
  readonly log: Log
}

/** Keeps one device connected until the signal aborts: the only place of the edge that retries a device. Never throws. */
export async function supervise(options: SuperviseOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await options.driver.connect(signal)
      await acquire(options, signal)
    } catch (error) {
      if (!signal.aborted) await fail(options, error as Error, signal)
    }
  }
  await closeQuietly(options)
}

async function fail(options: SuperviseOptions, error: Error, signal: AbortSignal): Promise<void> {
  if (!(error instanceof NotConnectedError)) options.log.error({ err: error }, 'A driver failed in a way it should not')
  await closeQuietly(options)
  const pauseMs = options.backOff.next()
  await options.owner.onLost(error, options.monotonic() + pauseMs)
  await pause(pauseMs, signal)
}

async function closeQuietly({ driver, log }: SuperviseOptions): Promise<void> {
  try {
    await driver.close()
  } catch (error) {
    log.error({ err: error }, 'A driver failed to close')
  }
}

function acquire(options: SuperviseOptions, signal: AbortSignal): Promise<void> {
  const { driver, groups } = options
  return driver.kind === 'polled'
    ? poll(options, driver, signal)
    : driver.subscribe(subscribed(groups), reportsTo(options), signal)
}

/** What a subscription reports is taken in the order in which it comes; nobody waits for the disk. */
function reportsTo(options: SuperviseOptions): SubscriptionReports {
  const { owner } = options
  return {
    onSamples: (samples) => void arrived(options, samples),
    onPast: (samples) => void owner.onPast(samples),
    onMissed: (missed) => void owner.onMissed(missed),
    onConditions: (conditions) => void owner.onConditions(conditions),
  }
}

type Polled = Extract<AnyDriver, { kind: 'polled' }>

async function poll(options: SuperviseOptions, driver: Polled, signal: AbortSignal): Promise<void> {
  const { groups, owner, monotonic } = options
  const first: Sample[] = []
  for (const group of groups) first.push(...(await driver.read(group.tags, turnOf(group, group.periodMs, signal))))
  await arrived(options, first)
  const schedule = createSchedule(
    groups.map((group) => group.periodMs),
    monotonic(),
    options.phase,
  )
  while (!signal.aborted) {
    const due = schedule.next(monotonic())
    if (due.overruns > 0) owner.onOverrun(due.overruns)
    await pause(due.dueAt - monotonic(), signal)
    const group = groups[due.index]
    if (!group || signal.aborted) return
    const turn = turnOf(group, due.dueAt + group.periodMs - monotonic(), signal)
    await arrived(options, await readOrSave(options, driver, { tags: group.tags, turn }))
  }
}

const turnOf = ({ scan }: ScanGroup, withinMs: number, signal: AbortSignal): Turn => ({ scan, withinMs, signal })

/** Reads; when the link breaks half-way, what the device had given until then is accepted before the loss is told. */
async function readOrSave(
  { owner }: SuperviseOptions,
  driver: Polled,
  { tags, turn }: { tags: ReadonlyMap<string, unknown>; turn: Turn },
): Promise<Sample[]> {
  try {
    return await driver.read(tags, turn)
  } catch (error) {
    if (error instanceof NotConnectedError && error.readBefore.length > 0) await owner.onSamples(error.readBefore)
    throw error
  }
}

function arrived({ backOff, owner }: SuperviseOptions, samples: readonly Sample[]): Promise<void> {
  backOff.reset()
  return owner.onSamples(samples)
}

function subscribed(groups: readonly ScanGroup[]) {
  const entries = groups.flatMap(({ periodMs, tags }) =>
    [...tags].map(([tag, address]) => [tag, { address, everyMs: periodMs }] as const),
  )
  return new Map(entries)
}

/** Resolves after `ms`, or as soon as the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return
  await wait(ms, undefined, { signal }).catch(() => undefined)
}
