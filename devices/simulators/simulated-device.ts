import type { DeviceProfile, ProfileTag } from '#shared/contracts/device-profile.ts'
import type { Clip, PlantDevice } from '#shared/contracts/plant.ts'
import type { Scalar } from '#shared/contracts/sample.ts'
import type { Machine, Surroundings } from './machine.ts'
import { createMachine } from './machines/index.ts'
import { createRandom, seedOf } from './random.ts'
import { rowAt, type Track } from './recording.ts'
import { toEngineering, toRaw } from './register-codec.ts'

/** A served value: what stands in the device and what a client makes of it. */
export interface Served {
  readonly raw: Scalar
  readonly value: Scalar
}

/** One device of the plant without its server: machine and replay behind the tags of its profile. */
export interface SimulatedDevice {
  readonly name: string
  readonly everyMs: number
  readonly profile: DeviceProfile
  readonly machine: Machine
  /** Moves the machine; `seconds` is plant time since the start, `stepped` how much of it is new. */
  step(seconds: number, stepped: number): void
  /** Starts a clip of the replay at this moment. */
  play(clip: string, seconds: number): void
  /** Tags whose served value is another than at the last call. */
  changes(): readonly { readonly tag: ProfileTag; readonly served: Served }[]
  /** Engineering value of a tag now, unrounded; undefined for a tag that the device has not. */
  value(tag: string): Scalar | undefined
}

export interface DeviceSources {
  readonly seed: number
  /** ms since 1970 at which the plant starts. */
  readonly startedAt: number
  readonly profile: DeviceProfile
  /** Clips by name, already read. */
  readonly tracks: ReadonlyMap<string, Track>
  readonly around: Omit<Surroundings, 'replayed'>
}

/** Puts a device of the plant together. */
export function simulateDevice(device: PlantDevice, sources: DeviceSources): SimulatedDevice {
  const { profile, tracks } = sources
  const replay = startReplay(device, tracks)
  const fed = new Set(Object.keys(device.replay?.columns ?? {}))
  const free = profile.tags.map((t) => t.tag).filter((tag) => !fed.has(tag))
  const machine = createMachine(device.machine, free, {
    random: createRandom(seedOf(`${sources.seed}/${device.device}`)),
    startedAt: sources.startedAt,
  })
  const served = new Map<string, Scalar>()
  let hasMoved = true
  const around: Surroundings = { ...sources.around, replayed: (tag) => replay.value(tag) }
  const factors = profile.tags.map((tag) => scaleFactor(tag, profile, machine))

  function changes() {
    if (!hasMoved) return []
    hasMoved = false
    const values = machine.read()
    return profile.tags.flatMap((tag, i) => {
      const factor = factors[i] ?? 1
      const raw = toRaw(tag, replay.value(tag.tag) ?? values[tag.tag] ?? null, factor)
      if (served.has(tag.tag) && Object.is(served.get(tag.tag), raw)) return []
      served.set(tag.tag, raw)
      return [{ tag, served: { raw, value: toEngineering(tag, raw, factor) } }]
    })
  }

  return {
    name: device.device,
    everyMs: device.everyMs,
    profile,
    machine,
    step(seconds, stepped) {
      hasMoved = true
      replay.moveTo(seconds)
      machine.step(stepped, around)
    },
    play: replay.play,
    changes,
    value: (tag) => replay.value(tag) ?? machine.read()[tag],
  }
}

/** SunSpec: ten to the power that the factor's register holds. */
function scaleFactor(tag: ProfileTag, profile: DeviceProfile, machine: Machine): number {
  if (tag.scaleFactor === undefined) return 1
  const address = Number(tag.scaleFactor.split(':')[1]) - (profile.modbus?.addressBase ?? 0)
  const power = ((machine.registers?.[address] ?? 0) << 16) >> 16
  return 10 ** power
}

function startReplay(device: PlantDevice, tracks: ReadonlyMap<string, Track>) {
  const clips: Readonly<Record<string, Clip>> = device.replay?.clips ?? {}
  let name = device.replay?.start ?? ''
  let startedAt = 0
  let row = 0
  return {
    play(clip: string, seconds: number) {
      name = clip
      startedAt = seconds
      row = 0
    },
    moveTo(seconds: number) {
      const clip = clips[name]
      const track = tracks.get(name)
      if (clip && track) row = rowAt(track, (seconds - startedAt) * clip.speed, clip.atEnd)
    },
    value: (tag: string): number | undefined => tracks.get(name)?.columns.get(tag)?.[row],
  }
}
