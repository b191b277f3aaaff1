import type { AnyDriver } from '#edge/drivers/driver.ts'
import type { EdgeDevice, TagSample } from '#edge/model.ts'
import type { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import { type DeviceProfile, SCAN_CLASSES } from '#shared/contracts/device-profile.ts'
import type { GapRecord } from '#shared/contracts/gap.ts'
import type { Log } from '#shared/log/log.ts'
import { type AlarmOutcome, actOnAlarm } from './alarm-command.ts'
import { createBackOff } from './back-off.ts'
import type { RetryConfig, ScanConfig } from './config.ts'
import { createDevice, type DeviceStatus } from './device.ts'
import type { WritableModel } from './model.ts'
import { type ScanGroup, supervise } from './supervise.ts'

/** A device with everything that is needed to read it. */
export interface AcquiredDevice {
  readonly device: EdgeDevice
  readonly profile: DeviceProfile
  readonly driver: AnyDriver
}

export interface AcquisitionOptions {
  readonly devices: readonly AcquiredDevice[]
  readonly model: WritableModel
  readonly scan: ScanConfig
  readonly retry: RetryConfig
  /** Accepts samples; resolves when they are on disk. */
  readonly sink: (samples: TagSample[], kind?: 'backfill') => Promise<unknown>
  /** Accepts a gap that a device's own history could not fill. */
  readonly gap: (gap: GapRecord) => Promise<unknown>
  /** Accepts an event of an alarm that a device judges itself. */
  readonly alarmEvent: (event: AlarmEvent) => Promise<unknown>
  readonly clock: AcquisitionClock
  readonly log: Log
}

export interface AcquisitionClock {
  /** Wall clock, ms since 1970. */
  now(): number
  /** Clock that never jumps, ms from an arbitrary start. */
  monotonic(): number
}

export interface Acquisition {
  status(): DeviceStatus[]
  /** Acts on an alarm that a device judges itself: JSON by shared/contracts/alarm-command.ts. */
  act(alarmCommand: string): Promise<AlarmOutcome>
  /** Ends every read and closes every link. What was read until then is on disk when this resolves. */
  stop(): Promise<void>
}

/** Begins to read every device, each on its own, until stop(). */
export function startAcquisition(options: AcquisitionOptions): Acquisition {
  const stopping = new AbortController()
  const placesOf = sharedPlaces()
  const groupsOf = sharedGroups(options.scan)
  const running = options.devices.map((acquired, i) => {
    const placed = { places: placesOf(acquired.profile), groups: groupsOf(acquired), phase: phaseOf(i) }
    return startDevice(options, { ...acquired, ...placed }, stopping.signal)
  })
  return {
    status: () => running.map((one) => one.status()),
    act: (json) => actOnAlarm(running, json),
    async stop() {
      stopping.abort()
      await Promise.all(running.map((one) => one.done))
    },
  }
}

/**
 * Where in a period the n-th device is read: any few neighbours, such as those of one lane, are spread evenly. Read all at
 * once, a hundred thousand samples would wait together for the disk and the network, and make a second's peak of memory.
 */
const phaseOf = (n: number): number => (n * GOLDEN_RATIO) % 1
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2

/** Place of each tag in its profile, one map for all devices of a profile. */
function sharedPlaces(): (profile: DeviceProfile) => ReadonlyMap<string, number> {
  const known = new Map<DeviceProfile, ReadonlyMap<string, number>>()
  return (profile) => {
    const places = known.get(profile) ?? new Map(profile.tags.map(({ tag }, place) => [tag, place]))
    known.set(profile, places)
    return places
  }
}

/** The scan groups of a device: the very same as those of another one of its profile, when the addresses are. */
function sharedGroups(scan: ScanConfig): (device: AcquiredDevice) => readonly ScanGroup[] {
  const known = new Map<DeviceProfile, readonly ScanGroup[]>()
  return ({ profile, driver }) => {
    const groups = scanGroups(profile, driver, scan)
    const before = known.get(profile)
    if (before && haveSameAddresses(before, groups)) return before
    known.set(profile, groups)
    return groups
  }
}

const haveSameAddresses = (a: readonly ScanGroup[], b: readonly ScanGroup[]): boolean =>
  a.every(({ tags }, i) => [...tags].every(([tag, address]) => b[i]?.tags.get(tag) === address))

interface PlacedDevice extends AcquiredDevice {
  readonly places: ReadonlyMap<string, number>
  readonly groups: readonly ScanGroup[]
  readonly phase: number
}

function startDevice(options: AcquisitionOptions, placed: PlacedDevice, signal: AbortSignal) {
  const { device, profile, driver, places, groups, phase } = placed
  const { model, sink, gap, alarmEvent, scan, retry, clock } = options
  const log = options.log.child({ device: device.device })
  const owner = createDevice({ device, profile, places, model, sink, gap, alarmEvent, log, scan, now: clock.now })
  const backOff = createBackOff(retry, Math.random)
  const done = supervise({ driver, groups, backOff, phase, owner, log, monotonic: clock.monotonic }, signal)
  return { done, driver, status: owner.status, alarm: owner.alarm }
}

/** The tags of a device by scan class, the fast ones first. Throws AddressError for an address that cannot be used. */
export function scanGroups(profile: DeviceProfile, driver: AnyDriver, scan: ScanConfig): ScanGroup[] {
  return SCAN_CLASSES.flatMap((scanClass) => {
    const tags = profile.tags.filter((tag) => (tag.scan ?? 'normal') === scanClass)
    if (tags.length === 0) return []
    return [
      {
        scan: scanClass,
        periodMs: scan[scanClass],
        tags: new Map(tags.map((tag) => [tag.tag, driver.parseAddress(tag)])),
      },
    ]
  })
}
