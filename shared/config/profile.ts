import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AlarmDefinition } from '../contracts/alarm-definition.ts'
import { DeviceProfile, type ProfileTag } from '../contracts/device-profile.ts'
import type { Issue } from './check-value.ts'
import { ConfigError, type Fault } from './config-error.ts'
import { checkAddresses } from './profile-addresses.ts'
import { checkWriting } from './profile-writing.ts'
import { loadYaml, parseYaml, unknownName } from './yaml.ts'

/** Reads one device profile and checks what the schema cannot say. Throws ConfigError with every fault. */
export function loadProfile(path: string): DeviceProfile {
  return loadYaml(path, DeviceProfile, checkProfile)
}

/** Parses the text of a device profile; see loadProfile. */
export function parseProfile(text: string, file: string): DeviceProfile {
  return parseYaml(text, file, DeviceProfile, checkProfile)
}

/** Reads every profile of a directory, by key. Throws one ConfigError with the faults of all files. */
export function loadProfiles(directory: string): ReadonlyMap<string, DeviceProfile> {
  const profiles = new Map<string, DeviceProfile>()
  const faults: Fault[] = []
  for (const file of profileFiles(directory)) {
    try {
      const profile = loadProfile(join(directory, file))
      if (profiles.has(profile.profile)) faults.push(twice(join(directory, file), profile.profile))
      profiles.set(profile.profile, profile)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      faults.push(...error.faults)
    }
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return profiles
}

function profileFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.yaml'))
      .sort()
  } catch {
    const fix = "set 'profiles' to the folder that holds the device profiles"
    throw new ConfigError([{ file: directory, path: '', found: 'no such folder', expected: 'a folder', fix }])
  }
}

function twice(file: string, key: string): Fault {
  const expected = 'a key that no other file of the folder has'
  return { file, path: 'profile', found: `'${key}'`, expected, fix: 'rename the profile or remove the file' }
}

/** What a schema cannot say of a profile: names that must exist, names and registers used twice, levels in the wrong order. */
export function checkProfile(profile: DeviceProfile): Issue[] {
  const tags = profile.tags.map((t) => t.tag)
  return [
    ...duplicates(tags, (i) => ['tags', i, 'tag'], 'tag'),
    ...profile.tags.flatMap((tag, i) => checkTag(tag, i, profile.protocol)),
    ...profile.tags.flatMap((tag, i) => checkWriting(tag, i)),
    ...checkAddresses(profile),
    ...checkFirmware(profile, tags),
    ...checkMachineState(profile, tags),
    ...duplicates(
      (profile.alarms ?? []).map((a) => a.alarm),
      (i) => ['alarms', i, 'alarm'],
      'alarm',
    ),
    ...(profile.alarms ?? []).flatMap((alarm, i) => checkAlarm(alarm, i, tags)),
  ]
}

function duplicates(names: readonly string[], path: (index: number) => (string | number)[], what: string): Issue[] {
  return names.flatMap((name, i) => {
    if (names.indexOf(name) === i) return []
    return [{ path: path(i), found: `'${name}' again`, expected: `each ${what} once`, fix: `rename this ${what}` }]
  })
}

function checkTag(tag: ProfileTag, index: number, protocol: DeviceProfile['protocol']): Issue[] {
  const issues: Issue[] = []
  if (protocol === 'modbus' && tag.type === 'string' && tag.length === undefined) {
    const path = ['tags', index, 'length']
    issues.push({ path, expected: 'the number of registers, because the type is string', fix: "add 'length'" })
  }
  issues.push(...checkCodes(tag, index))
  if (tag.clamp && tag.clamp[0] >= tag.clamp[1]) {
    const path = ['tags', index, 'clamp']
    issues.push({ path, found: tag.clamp.join(' to '), expected: 'low before high', fix: 'swap the two numbers' })
  }
  if (tag.deadband && 'percent' in tag.deadband && !tag.range) {
    const path = ['tags', index, 'range']
    issues.push({
      path,
      expected: 'a range, because the deadband is a percentage of it',
      fix: "add 'range: [low, high]'",
    })
  }
  if (tag.range && tag.range[0] >= tag.range[1]) {
    const path = ['tags', index, 'range']
    issues.push({ path, found: tag.range.join(' to '), expected: 'low before high', fix: 'swap the two numbers' })
  }
  return issues
}

/** A number of YAML beyond 2^53 has lost its last digits before anybody sees it. */
function checkCodes({ invalid = [] }: ProfileTag, index: number): Issue[] {
  return invalid.flatMap((code, i) => {
    if (typeof code === 'string' || Math.abs(code) <= Number.MAX_SAFE_INTEGER) return []
    const path = ['tags', index, 'invalid', i]
    const expected = 'digits in quotes, because a number beyond 2^53 loses some'
    return [{ path, found: String(code), expected, fix: `write "…" with every digit` }]
  })
}

function checkFirmware({ modbus }: DeviceProfile, known: readonly string[]): Issue[] {
  if (modbus?.firmware === undefined || known.includes(modbus.firmware)) return []
  return [unknownName(['modbus', 'firmware'], modbus.firmware, 'a tag of this profile', known)]
}

function checkMachineState({ machineState, tags }: DeviceProfile, known: readonly string[]): Issue[] {
  if (!machineState) return []
  const tag = tags.find((t) => t.tag === machineState.tag)
  if (!tag) return [unknownName(['machineState', 'tag'], machineState.tag, 'a tag of this profile', known)]
  const silent = Object.entries(machineState.states).filter(([, state]) => state === 'no-data')
  const issues = silent.map(([value]): Issue => {
    const path = ['machineState', 'states', value]
    return {
      path,
      found: 'no-data',
      expected: 'a state that a machine can report',
      fix: 'silence is noticed by itself',
    }
  })
  return [...issues, ...checkWords(machineState, tag)]
}

function checkWords(machineState: NonNullable<DeviceProfile['machineState']>, tag: ProfileTag): Issue[] {
  const words = Object.keys(tag.words ?? {})
  if (words.length === 0) return []
  const unmapped = words.filter((word) => !(word in machineState.states))
  return [
    ...Object.keys(machineState.states)
      .filter((value) => !words.includes(value))
      .map((value) =>
        unknownName(['machineState', 'states', value], value, `a value with words in '${tag.tag}'`, words),
      ),
    ...unmapped.map((value) => ({
      path: ['machineState', 'states'],
      expected: `a machine state for the value ${value} of '${tag.tag}'`,
      fix: `add '"${value}": …'`,
    })),
  ]
}

function checkAlarm(alarm: AlarmDefinition, index: number, tags: readonly string[]): Issue[] {
  const issues = checkLevels(alarm, index)
  const path = ['alarms', index]
  if (!tags.includes(alarm.tag)) issues.push(unknownName([...path, 'tag'], alarm.tag, 'a tag of this profile', tags))
  if (alarm.priority !== 'low' && !alarm.rationalisation) {
    const expected = `cause, consequence, action and time to respond, because the priority is ${alarm.priority}`
    issues.push({
      path: [...path, 'rationalisation'],
      expected,
      fix: "add 'rationalisation', or make the priority low",
    })
  }
  return issues
}

const LEVEL_ORDER = ['LL', 'L', 'H', 'HH'] as const

function checkLevels({ condition }: AlarmDefinition, index: number): Issue[] {
  if (condition.kind !== 'limit') return []
  const place = (level: string) => LEVEL_ORDER.indexOf(level as (typeof LEVEL_ORDER)[number])
  const sorted = condition.levels.map((l, i) => ({ ...l, i })).sort((a, b) => place(a.level) - place(b.level))
  return sorted.flatMap((level, k) => {
    const before = sorted[k - 1]
    const path = ['alarms', index, 'condition', 'levels', level.i]
    if (!before) return []
    if (before.level === level.level) {
      return [{ path, found: `${level.level} again`, expected: 'each level once', fix: 'remove one of the two' }]
    }
    if (before.setpoint < level.setpoint) return []
    const expected = `more than ${before.setpoint}, the setpoint of ${before.level}`
    return [{ path: [...path, 'setpoint'], found: String(level.setpoint), expected, fix: 'order them LL < L < H < HH' }]
  })
}
