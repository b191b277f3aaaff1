import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigError } from '#shared/config/config-error.ts'
import { loadProfiles } from '#shared/config/profile.ts'
import { loadYaml } from '#shared/config/yaml.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { Plant, type PlantDevice } from '#shared/contracts/plant.ts'
import { checkPlant } from './check-plant.ts'
import { csvHeader, readTrack, type Track } from './simulators/recording.ts'

/** A plant file with everything that it names, read and checked. */
export interface LoadedPlant {
  readonly plant: Plant
  readonly profiles: ReadonlyMap<string, DeviceProfile>
  /** Clips by device and name. */
  readonly tracks: ReadonlyMap<string, ReadonlyMap<string, Track>>
}

/** Reads a plant file, its profiles and its recordings. Throws ConfigError with every fault. */
export function loadPlant(file: string): LoadedPlant {
  const { plant, profiles } = checkPlantFile(file)
  const folder = resolve(dirname(file), plant.recordings)
  const tracks = new Map(plant.devices.map((d) => [d.device, readTracks(d, folder)]))
  return { plant, profiles, tracks }
}

/** Checks a plant file against its schema, the profiles and the recordings' columns; what `andon check` does. */
export function checkPlantFile(file: string): Pick<LoadedPlant, 'plant' | 'profiles'> {
  let profiles: ReadonlyMap<string, DeviceProfile> = new Map()
  const columnsIn = (path: string) => columnsOf(path)
  const plant = loadYaml(file, Plant, (value) => {
    const folder = dirname(file)
    profiles = loadProfiles(resolve(folder, value.profiles))
    return checkPlant(value, { profiles, columns: (name) => columnsIn(resolve(folder, value.recordings, name)) })
  })
  return { plant, profiles }
}

/** Column names of a recording; undefined when there is no such file. */
function columnsOf(path: string): readonly string[] | undefined {
  return existsSync(path) ? csvHeader(readFileSync(path, 'utf8')) : undefined
}

function readTracks(device: PlantDevice, folder: string): ReadonlyMap<string, Track> {
  const { replay } = device
  if (!replay) return new Map()
  return new Map(
    Object.entries(replay.clips).map(([name, clip]) => {
      try {
        return [name, readTrack(resolve(folder, clip.file), clip, replay)]
      } catch (error) {
        const found = error instanceof Error ? error.message : String(error)
        const path = `${device.device}.replay.clips.${name}`
        const fix = 'correct from and to, or the file'
        throw new ConfigError([{ file: clip.file, path, found, expected: 'rows of numbers', fix }])
      }
    }),
  )
}
