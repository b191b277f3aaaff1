import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { Log } from '#shared/log/log.ts'
import type { Historian } from '../historian/historian.ts'
import { classNumber, DEFAULT_CLASS, type RetentionSettings } from '../historian/retention-classes.ts'
import type { DeviceState } from './tag-state.ts'

export interface ClassKeeperOptions {
  readonly historian: Pick<Historian, 'classify'>
  readonly profiles: ReadonlyMap<string, DeviceProfile>
  readonly settings: RetentionSettings
  /** Does what nobody waits for, and again for a while when it fails. */
  readonly later: (work: () => Promise<unknown>) => void
  readonly log: Log
}

/** Tells history the retention class of tags, as their profiles say. */
export interface ClassKeeper {
  /** All tags there are, at the start: classes may have changed since. */
  start(devices: Iterable<DeviceState>): void
  /** Tags of a device that was born. */
  born(device: DeviceState): void
  /** The class of a tag. */
  classOf(device: DeviceState, tag: string): string
}

/** Makes the keeper; a class that no setting names is told once, and kept like the default. */
export function createClassKeeper({ historian, profiles, settings, later, log }: ClassKeeperOptions): ClassKeeper {
  const byProfile = new Map([...profiles].map(([key, profile]) => [key, classesOf(profile)]))
  for (const name of new Set([...byProfile.values()].flatMap((classes) => [...classes.values()]))) {
    if (name !== DEFAULT_CLASS && !settings[name]) {
      log.warn({ class: name }, 'A profile names a retention class that cloud.yaml lacks; it is kept like the default')
    }
  }
  /** Devices that had a tag of another class than the default. */
  const classed = new Set<string>()
  const classOf = (device: DeviceState, tag: string) => {
    const name = byProfile.get(device.profile ?? '')?.get(tag) ?? DEFAULT_CLASS
    return settings[name] ? name : DEFAULT_CLASS
  }
  const tagsOf = (device: DeviceState) =>
    [...device.tags.values()].map(({ key, tag }) => ({ tag: key, class: classNumber(classOf(device, tag)) }))
  const note = (device: DeviceState) => {
    if (byProfile.get(device.profile ?? '')?.size) classed.add(device.id)
  }
  return {
    classOf,
    start(devices) {
      const all = [...devices]
      for (const device of all) note(device)
      later(() => historian.classify(all.flatMap(tagsOf)))
    },
    born(device) {
      note(device)
      if (classed.has(device.id)) later(() => historian.classify(tagsOf(device)))
    },
  }
}

const classesOf = (profile: DeviceProfile): ReadonlyMap<string, string> =>
  new Map(profile.tags.flatMap(({ tag, retention }) => (retention === undefined ? [] : [[tag, retention] as const])))
