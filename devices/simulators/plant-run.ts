import type { DeviceProfile, ProfileTag } from '#shared/contracts/device-profile.ts'
import type { Plant } from '#shared/contracts/plant.ts'
import type { Scalar } from '#shared/contracts/sample.ts'
import type { Track } from './recording.ts'
import { type SimulatedDevice, simulateDevice } from './simulated-device.ts'
import { playStory, type StoryAction, type StoryView } from './stories.ts'

/** A value that a device serves from now on. `at` is ms since 1970. */
export interface Change {
  readonly device: string
  readonly tag: ProfileTag
  /** As it stands in the device. */
  readonly raw: Scalar
  /** As a client computes it; null when the device says "not implemented". */
  readonly value: Scalar
  readonly at: number
}

/** A plant in motion, without servers. Pure: it knows the time only by `advance`. */
export interface PlantRun {
  readonly devices: readonly SimulatedDevice[]
  /** Moves the plant to a time (ms since 1970) and returns what changed since the last call, values of that time. */
  advance(now: number): readonly Change[]
  workOrderDone(device: string): void
  write(device: string, tag: string, value: Scalar): void
  /** The step that each story waits for, for people. */
  waitingFor(): Readonly<Record<string, string | undefined>>
}

export interface PlantSources {
  readonly plant: Plant
  readonly profiles: ReadonlyMap<string, DeviceProfile>
  /** Clips by device and name. */
  readonly tracks: ReadonlyMap<string, ReadonlyMap<string, Track>>
  /** ms since 1970 at which plant time is 0. */
  readonly startedAt: number
  /** Seconds of plant time in one second. */
  readonly speed: number
}

/**
 * Starts a plant. It moves in ticks of plant time as long as the shortest `everyMs`, so that the same seed gives the
 * same values however often it is advanced.
 */
export function runPlant(sources: PlantSources): PlantRun {
  const { plant, startedAt, speed } = sources
  const devices = simulateAll(sources)
  const byName = new Map(devices.map((d) => [d.name, d]))
  const stories = plant.stories.map((story) => ({ story, player: playStory(story) }))
  const tickMs = Math.min(...devices.map((d) => d.everyMs))
  let ticks = 0

  function act(action: StoryAction, seconds: number): void {
    const device = byName.get(action.device)
    if (action.play !== undefined) device?.play(action.play, seconds)
    if (action.command !== undefined) device?.machine.command(action.command)
  }

  function stepDue(device: SimulatedDevice, seconds: number): void {
    const every = Math.max(1, Math.round(device.everyMs / tickMs))
    if (ticks % every === 0) device.step(seconds, ticks === 0 ? 0 : (every * tickMs) / 1000)
  }

  function tick(): void {
    const seconds = (ticks * tickMs) / 1000
    for (const device of devices) stepDue(device, seconds)
    const view: StoryView = { seconds, value: (device, tag) => byName.get(device)?.value(tag) }
    for (const action of stories.flatMap((s) => s.player.advance(view))) act(action, seconds)
    ticks++
  }

  return {
    devices,
    advance(now) {
      const goal = Math.floor(((now - startedAt) * speed) / tickMs)
      while (ticks <= goal) tick()
      return devices.flatMap((device) =>
        device.changes().map(({ tag, served }) => ({ device: device.name, tag, ...served, at: now })),
      )
    },
    workOrderDone(device) {
      for (const { player } of stories) player.workOrderDone(device)
    },
    write: (device, tag, value) => byName.get(device)?.machine.write(tag, value),
    waitingFor: () => Object.fromEntries(stories.map(({ story, player }) => [story.story, player.waitingFor()])),
  }
}

function simulateAll({ plant, profiles, tracks, startedAt }: PlantSources): SimulatedDevice[] {
  const devices: SimulatedDevice[] = []
  const draws = () => devices.map((d) => d.machine.powerKw())
  const around = {
    loadKw: () => draws().reduce((sum, kw) => sum + Math.max(0, kw), 0),
    solarKw: () => draws().reduce((sum, kw) => sum + Math.max(0, -kw), 0),
  }
  for (const device of plant.devices) {
    const profile = profiles.get(device.profile)
    if (!profile) throw new Error(`${device.device}: there is no profile ${device.profile}`)
    const clips = tracks.get(device.device) ?? new Map()
    devices.push(simulateDevice(device, { seed: plant.seed, startedAt, profile, tracks: clips, around }))
  }
  return devices
}
