import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { TSchema } from 'typebox'
import { type ConfiguredAddress, yamlAddresses } from '#shared/config/addresses.ts'
import type { Issue } from '#shared/config/check-value.ts'
import { ConfigError, type Fault } from '#shared/config/config-error.ts'
import { loadProfile } from '#shared/config/profile.ts'
import { loadYaml, readText, topLevelKeys } from '#shared/config/yaml.ts'
import { OrganisationSeed } from '#shared/contracts/organisation-seed.ts'
import { Plant } from '#shared/contracts/plant.ts'
import { hasModule } from '#shared/own-files/own-files.ts'
import { checkOrganisation } from './organisation.ts'

/** A kind of Andon file: how to know it, and what reads it and throws ConfigError with every fault. */
interface Kind {
  readonly name: string
  /** Keys at the top of the file that it must have and may have; check.test.ts compares them with the schema. */
  readonly required: readonly string[]
  readonly optional: readonly string[]
  check(file: string): Promise<unknown>
  /** The module that judges it, from the root; an installation of the edge or the cloud alone lacks some. */
  readonly module?: string
  /** The shape of the file, for the addresses in it; absent where there are none. */
  readonly schema?: () => Promise<TSchema>
}

/** Every kind of Andon file. */
export const KINDS: readonly Kind[] = [
  {
    name: 'device profile',
    required: ['profile', 'version', 'name', 'assetClass', 'protocol', 'tags'],
    optional: ['vendor', 'modbus', 'machineState', 'alarms'],
    check: async (file) => loadProfile(file),
  },
  {
    name: 'plant',
    required: ['version', 'plant', 'name', 'devices'],
    optional: ['seed', 'group', 'edge', 'profiles', 'recordings', 'organisation', 'stories'],
    module: 'devices/load-plant.ts',
    check: async (file) => (await import('#devices/load-plant.ts')).loadPlant(file),
    schema: async () => Plant,
  },
  {
    name: 'edge',
    required: ['version', 'group', 'edge', 'mqtt', 'devices'],
    optional: ['data', 'profiles', 'scan', 'retry', 'journal', 'status'],
    module: 'edge/config.ts',
    check: async (file) => (await import('#edge/config.ts')).checkEdgeFile(file),
    schema: async () => (await import('#edge/config.ts')).EdgeFile,
  },
  {
    name: 'organisation',
    required: ['version', 'organisation', 'edges', 'departments', 'people', 'assets', 'schedules'],
    optional: [],
    check: async (file) => loadYaml(file, OrganisationSeed, checkOrganisation),
  },
  {
    name: 'cloud',
    required: ['version'],
    optional: ['profiles', 'seed', 'mqtt', 'sparkplug', 'history', 'alarms', 'log'],
    module: 'cloud/config.ts',
    check: async (file) => {
      const { CloudFile } = await import('#cloud/config.ts')
      return loadYaml(file, CloudFile, (cloud) => missingPaths(file, cloud))
    },
  },
]

function missingPaths(file: string, cloud: { profiles?: string; seed?: string }): Issue[] {
  return (['profiles', 'seed'] as const).flatMap((key) => {
    const path = cloud[key]
    if (path === undefined || existsSync(resolve(dirname(file), path))) return []
    return [
      { path: [key], found: `'${path}'`, expected: 'a path that exists, relative to this file', fix: 'correct it' },
    ]
  })
}

/** The kind of a file by the keys at its top; undefined when it has hardly any of theirs. */
export function kindOf(keys: readonly string[]): Kind | undefined {
  const likely = KINDS.map((kind) => ({ kind, ...likeness(kind, keys) }))
    // One key in four may be chance.
    .filter(({ known, strangers }) => known > 0 && 3 * known > strangers)
    .sort((a, b) => b.score - a.score)
  return likely[0]?.kind
}

/** What speaks for a kind are its keys; against it others, and what it must have and the file has not. */
function likeness({ required, optional }: Kind, present: readonly string[]) {
  const own = [...required, ...optional]
  const known = present.filter((key) => own.includes(key)).length
  const strangers = present.length - known
  const missing = required.filter((key) => !present.includes(key)).length
  return { known, strangers, score: known - strangers - missing }
}

/** What a look at a file found, without any network. */
export interface Verdict {
  /** The kind of the file in words. */
  readonly kind: string
  readonly faults: readonly Fault[]
  /** Its network addresses, those left out that are faults already. */
  readonly addresses: readonly ConfiguredAddress[]
}

/** Judges one file of any kind. Rejects with ConfigError when it is no Andon file or no YAML. */
export async function judgeFile(file: string): Promise<Verdict> {
  const kind = kindOf(topLevelKeys(readText(file)))
  if (!kind) {
    const expected = `an Andon file: ${KINDS.map((k) => k.name).join(', ')}`
    throw new ConfigError([{ file, path: '', found: 'none of its keys', expected, fix: 'check the path' }])
  }
  if (!isHere(kind)) throw new ConfigError([notOurs(kind, file)])
  const faults = await faultsOf(kind, file)
  const schema = await kind.schema?.()
  return { kind: kind.name, faults, addresses: schema ? yamlAddresses(file, schema) : [] }
}

const isHere = ({ module }: Kind) => module === undefined || hasModule(module)

function notOurs({ name }: Kind, file: string): Fault {
  const here = KINDS.filter(isHere).map((kind) => kind.name)
  const fix = 'check it with the installation that it is for, or in a full checkout of Andon'
  return {
    file,
    path: '',
    found: `a file of the kind '${name}'`,
    expected: `what this installation checks: ${here.join(', ')}`,
    fix,
  }
}

async function faultsOf(kind: Kind, file: string): Promise<readonly Fault[]> {
  try {
    await kind.check(file)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}
