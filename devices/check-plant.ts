import type { Issue } from '#shared/config/check-value.ts'
import { unknownName } from '#shared/config/yaml.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { Plant, PlantDevice, StoryStep } from '#shared/contracts/plant.ts'
import { createMachine } from './simulators/machines/index.ts'
import { parseNodeId } from './simulators/opcua-server.ts'
import { createRandom } from './simulators/random.ts'
import { momentSeconds } from './simulators/recording.ts'

export interface PlantWorld {
  readonly profiles: ReadonlyMap<string, DeviceProfile>
  /** Column names of a recording; undefined when there is no such file. */
  columns(file: string): readonly string[] | undefined
}

type At = (string | number)[]

/** What a schema cannot say of a plant: names that must exist, tags that nothing feeds, addresses used twice. */
export function checkPlant(plant: Plant, world: PlantWorld): Issue[] {
  const names = plant.devices.map((d) => d.device)
  return [
    ...names.flatMap((name, i) => (names.indexOf(name) === i ? [] : [twice(['devices', i, 'device'], name)])),
    ...plant.devices.flatMap((device, i) => checkDevice(device, ['devices', i], world)),
    ...sharedPlaces(plant, world),
    ...plant.stories.flatMap((story, i) =>
      story.steps.flatMap((step, k) => checkStep(step, ['stories', i, 'steps', k], plant, world)),
    ),
  ]
}

const twice = (path: At, name: string): Issue => ({
  path,
  found: `'${name}' again`,
  expected: 'each device once',
  fix: 'rename one of the two',
})

function checkDevice(device: PlantDevice, path: At, world: PlantWorld): Issue[] {
  const profile = world.profiles.get(device.profile)
  if (!profile) return [unknownName([...path, 'profile'], device.profile, 'a profile', [...world.profiles.keys()])]
  return [
    ...checkProtocol(device, path, profile),
    ...checkReplay(device, path, profile, world),
    ...unfedTags(device, path, profile),
  ]
}

function checkProtocol(device: PlantDevice, path: At, profile: DeviceProfile): Issue[] {
  const wrong = profile.protocol === 'modbus' ? 'opcua' : 'modbus'
  const issues: Issue[] = []
  if (device[profile.protocol] === undefined) {
    const expected = `where it listens, because the profile ${profile.profile} speaks ${profile.protocol}`
    issues.push({ path: [...path, profile.protocol], expected, fix: `add '${profile.protocol}'` })
  }
  if (device[wrong] !== undefined) {
    const expected = `only '${profile.protocol}', which the profile speaks`
    issues.push({ path: [...path, wrong], at: 'key', found: `'${wrong}'`, expected, fix: `remove '${wrong}'` })
  }
  return issues
}

function checkReplay({ replay }: PlantDevice, path: At, profile: DeviceProfile, world: PlantWorld): Issue[] {
  if (!replay) return []
  const at = [...path, 'replay']
  const tags = profile.tags.map((t) => t.tag)
  const clips = Object.keys(replay.clips)
  return [
    ...Object.keys(replay.columns)
      .filter((tag) => !tags.includes(tag))
      .map((tag) => ({
        ...unknownName([...at, 'columns', tag], tag, `a tag of ${profile.profile}`, tags),
        at: 'key' as const,
      })),
    ...(clips.includes(replay.start) ? [] : [unknownName([...at, 'start'], replay.start, 'a clip', clips)]),
    ...Object.entries(replay.clips).flatMap(([name, clip]) =>
      checkClip({ at: [...at, 'clips', name], clip, replay }, world),
    ),
  ]
}

type ReplayOf = NonNullable<PlantDevice['replay']>

function checkClip(
  { at, clip, replay }: { at: At; clip: ReplayOf['clips'][string]; replay: ReplayOf },
  world: PlantWorld,
): Issue[] {
  const known = world.columns(clip.file)
  if (!known) {
    const expected = 'a CSV file in the folder of recordings'
    return [{ path: [...at, 'file'], found: `'${clip.file}'`, expected, fix: "correct the path, or 'recordings'" }]
  }
  const wanted = [replay.time.column, ...Object.values(replay.columns)]
  return [
    ...wanted
      .filter((c) => !known.includes(c))
      .map((c) => unknownName([...at, 'file'], c, `a column of ${clip.file}`, known)),
    ...(['from', 'to'] as const).flatMap((key) => checkMoment([...at, key], clip[key], replay.time.unit)),
  ]
}

function checkMoment(path: At, moment: string | number | undefined, unit: ReplayOf['time']['unit']): Issue[] {
  if (moment === undefined || Number.isFinite(momentSeconds(moment, unit))) return []
  const expected = unit === 'datetime' ? "a time such as '2014-02-07 04:00:00'" : `a number of ${unit}`
  return [{ path, found: `'${moment}'`, expected, fix: `write ${expected}` }]
}

/** Tags of the profile that neither recording nor machine feeds. */
function unfedTags(device: PlantDevice, path: At, profile: DeviceProfile): Issue[] {
  const fed = new Set(Object.keys(device.replay?.columns ?? {}))
  const rest = profile.tags.map((t) => t.tag).filter((tag) => !fed.has(tag))
  const made = createMachine(device.machine, rest, { random: createRandom(1), startedAt: 0 }).read()
  const missing = rest.filter((tag) => !(tag in made))
  if (missing.length === 0) return []
  const expected = `a machine that feeds every tag of ${profile.profile}`
  const found = `'${device.machine.model}', which feeds no ${missing.join(', ')}`
  return [
    { path: [...path, 'machine', 'model'], found, expected, fix: 'choose the model of this profile, or replay them' },
  ]
}

/** Two devices in one place: the same unit of a port, or the same OPC UA namespace on one server. */
function sharedPlaces(plant: Plant, { profiles }: PlantWorld): Issue[] {
  const places = plant.devices.map((device) => placesOf(device, profiles.get(device.profile)))
  return plant.devices.flatMap((device, i) => {
    const other = plant.devices.findIndex((_, k) => k < i && places[k]?.some((p) => places[i]?.includes(p)))
    if (other < 0) return []
    const path = ['devices', i, device.modbus ? 'modbus' : 'opcua']
    const expected = device.modbus ? 'a unit of its own on the port' : 'a port of its own: the node ids are the same'
    return [{ path, found: `the place of '${plant.devices[other]?.device}'`, expected, fix: 'change one of the two' }]
  })
}

function placesOf({ modbus, opcua }: PlantDevice, profile: DeviceProfile | undefined): string[] {
  if (modbus) return modbus.port === 0 ? [] : [`${modbus.host}:${modbus.port}#${modbus.unit}`]
  if (!opcua || !profile || profile.protocol !== 'opcua') return []
  return profile.tags
    .filter((t) => t.address.startsWith('nsu='))
    .map((t) => `${opcua.host}:${opcua.port}#${parseNodeId(t.address).uri}`)
}

function checkStep(step: StoryStep, path: At, plant: Plant, world: PlantWorld): Issue[] {
  const issues: Issue[] = []
  const deviceOf = (name: string, at: At) => {
    const device = plant.devices.find((d) => d.device === name)
    if (!device)
      issues.push(
        unknownName(
          at,
          name,
          'a device of this plant',
          plant.devices.map((d) => d.device),
        ),
      )
    return device
  }
  if (step.waitFor) deviceOf(step.waitFor.workOrderDone, [...path, 'waitFor', 'workOrderDone'])
  const watched = step.when && deviceOf(step.when.device, [...path, 'when', 'device'])
  if (watched && step.when) issues.push(...checkWatched(step.when.tag, watched, [...path, 'when', 'tag'], world))
  step.do.forEach((action, i) => {
    const device = deviceOf(action.device, [...path, 'do', i, 'device'])
    const clips = Object.keys(device?.replay?.clips ?? {})
    if (!device || action.play === undefined || clips.includes(action.play)) return
    issues.push(unknownName([...path, 'do', i, 'play'], action.play, `a clip of ${device.device}`, clips))
  })
  return issues
}

function checkWatched(tag: string, device: PlantDevice, path: At, { profiles }: PlantWorld): Issue[] {
  const tags = profiles.get(device.profile)?.tags.map((t) => t.tag) ?? []
  return tags.includes(tag) ? [] : [unknownName(path, tag, `a tag of ${device.device}`, tags)]
}
