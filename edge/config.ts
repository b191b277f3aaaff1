import { existsSync, readFileSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { type Static, type TObject, Type } from 'typebox'
import { type ConfiguredAddress, textAddresses } from '#shared/config/addresses.ts'
import type { Issue } from '#shared/config/check-value.ts'
import { ConfigError, type Fault } from '#shared/config/config-error.ts'
import { loadProfiles } from '#shared/config/profile.ts'
import { parseYaml, readText, readYaml, unknownName } from '#shared/config/yaml.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { Key } from '#shared/contracts/text.ts'
import { ownFile } from '#shared/own-files/own-files.ts'
import { RetryConfig, ScanConfig } from './acquisition/config.ts'
import { AddressError } from './drivers/driver.ts'
import { checkModbus, ModbusConfig } from './drivers/modbus/config.ts'
import { OpcuaConfig } from './drivers/opcua/config.ts'
import { PROTOCOLS } from './drivers/registry.ts'
import { JournalConfig } from './journal/index.ts'
import { readIdentity } from './management/identity.ts'
import { UplinkConfig } from './uplink/index.ts'

const closed = { additionalProperties: false } as const
const section = <S extends TObject>(schema: S, description: string): S => ({ ...schema, default: {}, description }) as S

const EdgeDeviceConfig = Type.Object(
  {
    device: { ...Key, description: 'Name of the device, unique on this edge.' } as typeof Key,
    profile: { ...Key, description: 'Key of its device profile.' } as typeof Key,
    modbus: Type.Optional({
      ...ModbusConfig,
      description: 'Where it answers over Modbus: TCP, RTU over TCP, or RTU on a serial port.',
    } as typeof ModbusConfig),
    writable: Type.Optional(
      Type.Array(Type.String(), {
        description: 'Tags that may be written, of those that the profile lets; else all of those. []: none.',
      }),
    ),
    opcua: Type.Optional({ ...OpcuaConfig, description: 'Where it answers over OPC UA.' } as typeof OpcuaConfig),
  },
  closed,
)

const MqttConfig = Type.Object(
  {
    ...UplinkConfig.properties,
    passwordFile: Type.Optional(
      Type.String({ minLength: 1, description: 'File whose first line is the password; instead of `password`.' }),
    ),
  },
  closed,
)

const StatusConfig = Type.Object(
  {
    port: Type.Integer({
      minimum: 0,
      maximum: 65_535,
      default: 8090,
      description: 'Port of the local page; ANDON_EDGE_PORT goes before it. 0: a free one.',
    }),
  },
  closed,
)

/** The file edge.yaml. */
export const EdgeFile = Type.Object(
  {
    version: Type.Literal(1, { description: 'Form of this file.' }),
    group: { ...Key, description: 'Sparkplug group, unique in the installation of the cloud.' } as typeof Key,
    edge: { ...Key, description: 'Name of this edge in its group.' } as typeof Key,
    data: Type.String({
      minLength: 1,
      default: './edge-data',
      description: 'Directory for journal, certificates and token; relative to this file.',
    }),
    profiles: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Directory of device profiles; else those that come with the product.',
      }),
    ),
    mqtt: { ...MqttConfig, description: 'The link to the cloud.' } as typeof MqttConfig,
    scan: section(ScanConfig, 'How often tags are read.'),
    retry: section(RetryConfig, 'How a lost device is tried again.'),
    journal: section(JournalConfig, 'Store and forward on disk.'),
    status: section(StatusConfig, 'The local page.'),
    devices: Type.Array(EdgeDeviceConfig, {
      description:
        'What this edge reads; each device over the protocol of its profile. None: a new box, which waits for its configuration.',
    }),
  },
  closed,
)
export type EdgeFile = Static<typeof EdgeFile>
export type EdgeDeviceConfig = Static<typeof EdgeDeviceConfig>

/** Everything the edge agent needs to know, checked, with paths made absolute and secrets put in. */
export interface EdgeConfig extends Omit<EdgeFile, 'mqtt' | 'profiles' | 'status'> {
  readonly mqtt: UplinkConfig
  /** `bind`: address of the local page; beyond loopback it has a certificate of its own. */
  readonly status: EdgeFile['status'] & { readonly bind: string }
  readonly profiles: ReadonlyMap<string, DeviceProfile>
  /** Those among them that count because they were imported on the local page. */
  readonly imports: readonly ImportedProfile[]
  /** Every address of the file with its line, in the order of the file. */
  readonly addresses: readonly ConfiguredAddress[]
}

type Environment = Readonly<Record<string, string | undefined>>

/** The settings that an edge reads besides its file. */
export const edgeEnvironment = (): Environment => process.env

/** Reads edge.yaml and its profiles. Throws one ConfigError with the faults of all of them. */
export function loadEdgeConfig(file: string, env: Environment = process.env): EdgeConfig {
  return edgeConfigOf(readText(file), file, env)
}

/** Where the data of an edge are, also when its file has faults elsewhere. Throws ConfigError when it is no YAML. */
export function dataFolder(file: string): string {
  const { data } = (readYaml(readText(file), file, EdgeFile).value ?? {}) as { data?: unknown }
  return resolve(dirname(resolve(file)), typeof data === 'string' ? data : './edge-data')
}

/** The configuration of a text that stands in the place of `file`, or is to. Throws one ConfigError with every fault. */
export function edgeConfigOf(text: string, file: string, env: Environment = process.env): EdgeConfig {
  const { config, profiles, imports } = checkEdgeText(text, file)
  const folder = dirname(resolve(file))
  const data = resolve(folder, config.data)
  const { passwordFile, ...mqtt } = config.mqtt
  const password = passwordOf({ file, folder, env }, config.mqtt)
  return {
    ...config,
    data,
    profiles,
    imports,
    addresses: textAddresses(text, file, EdgeFile),
    mqtt: { ...enrolledFiles(data, mqtt), ...tlsFiles(folder, mqtt), ...(password === undefined ? {} : { password }) },
    status: { port: portOf(env, config.status.port), bind: bindOf(env) },
    devices: config.devices.map((device) => withSecrets(device, env, file)),
  }
}

/** Checks edge.yaml and the profiles that it names without looking at secrets or the environment: what `andon check` does. */
export const checkEdgeFile = (file: string): CheckedEdge => checkEdgeText(readText(file), file)

interface CheckedEdge {
  readonly config: EdgeFile
  readonly imports: readonly ImportedProfile[]
  readonly profiles: ReadonlyMap<string, DeviceProfile>
}

function checkEdgeText(text: string, file: string): CheckedEdge {
  let profiles: ReadonlyMap<string, DeviceProfile> = new Map()
  let imports: readonly ImportedProfile[] = []
  const profileFaults: Fault[] = []
  const config = parseYaml(text, file, EdgeFile, (value) => {
    try {
      const folder = dirname(resolve(file))
      const given = loadProfiles(value.profiles ? resolve(folder, value.profiles) : ownFile('profiles'))
      imports = importsOver(given, importedProfiles(resolve(folder, value.data)))
      profiles = new Map([...given, ...imports.map(({ profile }) => [profile.profile, profile] as const)])
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      profileFaults.push(...error.faults)
    }
    const issues = [
      ...missingFiles(dirname(resolve(file)), value.mqtt),
      ...duplicateNames(value),
      ...modbusFaults(value),
    ]
    return [...issues, ...(profileFaults.length > 0 ? [] : checkDevices(value, profiles))]
  })
  if (profileFaults.length > 0) throw new ConfigError(profileFaults)
  return { config, profiles, imports }
}

/** Where profiles lie that were imported on the local page. */
export const importedProfiles = (data: string): string => join(data, 'profiles')

/** A profile that was imported on the local page. */
export interface ImportedProfile {
  readonly profile: DeviceProfile
  /** ms since 1970 */
  readonly at: number
}

/** Of two profiles of one key the higher version counts: an import, until whoever gives the profiles has a newer one. */
function importsOver(given: ReadonlyMap<string, DeviceProfile>, folder: string): ImportedProfile[] {
  if (!existsSync(folder)) return []
  return [...loadProfiles(folder)]
    .filter(([key, { version }]) => version > (given.get(key)?.version ?? 0))
    .map(([key, profile]) => ({ profile, at: importedAt(join(folder, `${key}.yaml`)) }))
}

/** A file that somebody named otherwise does not tell. */
const importedAt = (file: string): number => Math.round(statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0)

const TLS_FILES = ['caFile', 'certFile', 'keyFile'] as const

/** Files of the TLS connection, which the edge file names relative to itself. */
const tlsFiles = (folder: string, mqtt: UplinkConfig): Partial<UplinkConfig> =>
  Object.fromEntries(TLS_FILES.flatMap((key) => (mqtt[key] ? [[key, resolve(folder, mqtt[key])]] : [])))

/** A box that has enrolled shows its certificate and trusts its cloud's root, unless the file names others. */
function enrolledFiles(data: string, mqtt: UplinkConfig): UplinkConfig {
  const identity = mqtt.url.startsWith('mqtts:') && mqtt.certFile === undefined ? readIdentity(data) : undefined
  if (!identity) return mqtt
  const { files, place } = identity
  const own = { ...mqtt, certFile: files.identity, keyFile: files.identity }
  return place.isForeign || mqtt.caFile !== undefined ? own : { ...own, caFile: files.root }
}

function missingFiles(folder: string, mqtt: UplinkConfig): Issue[] {
  return TLS_FILES.flatMap((key) => {
    const path = mqtt[key]
    const why = path === undefined ? undefined : unreadable(resolve(folder, path))
    if (why === undefined) return []
    const fix = key === 'caFile' ? 'take it from /ca of the cloud, or correct the path' : 'correct the path'
    const worded = { code: key === 'caFile' ? 'unreadable-root' : 'unreadable-file', params: { path: path ?? '', why } }
    const expected = 'a readable PEM file, relative to this one'
    return [{ path: ['mqtt', key], found: `'${path}' (${why})`, expected, fix, ...worded }]
  })
}

/** Why a file cannot be read; undefined when it can. */
function unreadable(path: string): string | undefined {
  try {
    readFileSync(path)
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable'
  }
}

function modbusFaults({ devices }: EdgeFile): Issue[] {
  return checkModbus(devices.map(({ modbus }) => modbus)).map(({ index, key, ...fault }) => {
    const path = ['devices', index, 'modbus', ...(key === '' ? [] : [key])]
    return { path, ...(key === '' ? { at: 'key' as const } : {}), ...fault }
  })
}

function duplicateNames({ devices }: EdgeFile): Issue[] {
  return devices.flatMap(({ device }, i) => {
    if (devices.findIndex((other) => other.device === device) === i) return []
    const path = ['devices', i, 'device']
    const worded = { code: 'duplicate-device', params: { device } }
    return [{ path, found: `'${device}' again`, expected: 'each name once', fix: 'rename this device', ...worded }]
  })
}

function checkDevices({ devices }: EdgeFile, profiles: ReadonlyMap<string, DeviceProfile>): Issue[] {
  return devices.flatMap((device, i) => {
    const profile = profiles.get(device.profile)
    const path = ['devices', i, 'profile']
    if (!profile) return [unknownName(path, device.profile, 'a device profile', [...profiles.keys()])]
    return [...checkProtocol(device, i, profile), ...checkAddresses(i, profile), ...checkWritable(device, i, profile)]
  })
}

function checkProtocol(device: EdgeDeviceConfig, index: number, { protocol, profile }: DeviceProfile): Issue[] {
  const issues: Issue[] = []
  if (device[protocol] === undefined) {
    const expected = `'${protocol}:' with its address, because the profile ${profile} speaks it`
    const worded = { code: 'protocol-missing', params: { protocol, profile } }
    issues.push({ path: ['devices', index], expected, fix: `add '${protocol}:'`, ...worded })
  }
  for (const { name } of PROTOCOLS) {
    if (name === protocol || device[name] === undefined) continue
    const expected = `only '${protocol}:', because the profile ${profile} speaks it`
    const worded = { code: 'protocol-other', params: { protocol, profile, name } }
    issues.push({ path: ['devices', index, name], at: 'key', expected, fix: `remove '${name}:'`, ...worded })
  }
  return issues
}

function checkAddresses(index: number, profile: DeviceProfile): Issue[] {
  const protocol = PROTOCOLS.find(({ name }) => name === profile.protocol)
  return profile.tags.flatMap((tag) => {
    try {
      protocol?.parseAddress(tag, profile)
      return []
    } catch (error) {
      if (!(error instanceof AddressError)) throw error
      const path = ['devices', index, 'profile']
      const fix = `correct the profile ${profile.profile}`
      const worded = { code: 'profile-address', params: { profile: profile.profile, detail: error.message } }
      return [{ path, found: error.message, expected: 'addresses that its driver understands', fix, ...worded }]
    }
  })
}

function checkWritable({ writable = [] }: EdgeDeviceConfig, index: number, { profile, tags }: DeviceProfile): Issue[] {
  const known = tags.filter((tag) => tag.writable === true).map(({ tag }) => tag)
  return writable.flatMap((tag, i) =>
    known.includes(tag)
      ? []
      : [unknownName(['devices', index, 'writable', i], tag, `a writable tag of the profile ${profile}`, known)],
  )
}

interface Place {
  readonly file: string
  readonly folder: string
  readonly env: Environment
}

function passwordOf(place: Place, { password, passwordFile }: EdgeFile['mqtt']): string | undefined {
  if (password !== undefined) return substituted(password, place, 'mqtt.password')
  if (passwordFile !== undefined) return firstLine(resolve(place.folder, passwordFile), place.file)
  return place.env.ANDON_EDGE_SECRET || undefined
}

function firstLine(path: string, file: string): string {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/, 1)[0] ?? ''
  } catch (error) {
    const found = `${path}: ${(error as NodeJS.ErrnoException).code}`
    const fix = 'check the path, and that this user may read it'
    const worded = { code: 'unreadable-file', params: { path, why: String((error as NodeJS.ErrnoException).code) } }
    throw new ConfigError([{ file, path: 'mqtt.passwordFile', found, expected: 'a readable file', fix, ...worded }])
  }
}

/** `${NAME}` becomes what the environment says; anything else stays. */
function substituted(text: string, { env, file }: Pick<Place, 'env' | 'file'>, path: string): string {
  const name = /^\$\{(\w+)\}$/.exec(text)?.[1]
  if (name === undefined) return text
  const value = env[name]
  if (value) return value
  const expected = `the environment variable ${name}`
  const worded = { code: 'variable-unset', params: { name } }
  throw new ConfigError([{ file, path, found: 'nothing', expected, fix: `set ${name} for this program`, ...worded }])
}

function withSecrets(device: EdgeDeviceConfig, env: Environment, file: string): EdgeDeviceConfig {
  const { opcua } = device
  if (opcua?.password === undefined) return device
  const password = substituted(opcua.password, { env, file }, `${device.device}: opcua.password`)
  return { ...device, opcua: { ...opcua, password } }
}

/** Not in edge.yaml, which may come from the cloud: who opens the page of a box to a network sits at it. */
function bindOf({ ANDON_BIND: text }: Environment): string {
  if (!text || text === 'localhost') return '127.0.0.1'
  if (isIP(text) !== 0) return text
  const fix = 'set ANDON_BIND to 0.0.0.0 or :: for every interface, or to the address of one'
  throw new ConfigError([
    { file: 'environment', path: 'ANDON_BIND', found: `'${text}'`, expected: 'an IP address of this machine', fix },
  ])
}

function portOf(env: Environment, fallback: number): number {
  const text = env.ANDON_EDGE_PORT
  if (text === undefined || text === '') return fallback
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  const fix = 'give a whole number; 0 picks a free port'
  throw new ConfigError([
    { file: 'environment', path: 'ANDON_EDGE_PORT', found: `'${text}'`, expected: 'a port, 0 to 65535', fix },
  ])
}
