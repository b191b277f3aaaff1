import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Issue } from '#shared/config/check-value.ts'
import { ConfigError } from '#shared/config/config-error.ts'
import { loadProfile } from '#shared/config/profile.ts'
import { loadYaml, readText, topLevelKeys } from '#shared/config/yaml.ts'
import { OrganisationSeed } from '#shared/contracts/organisation-seed.ts'
import { checkOrganisation } from './organisation.ts'

/** A kind of Andon file: how to know it, and what reads it and throws ConfigError with every fault. */
interface Kind {
  readonly name: string
  /** Keys at the top of the file; the kind with most of them in a file is taken, `telling` ones count thrice. */
  readonly telling: readonly string[]
  readonly keys: readonly string[]
  check(file: string): Promise<unknown>
}

const KINDS: readonly Kind[] = [
  {
    name: 'device profile',
    telling: ['profile', 'tags'],
    keys: ['version', 'name', 'vendor', 'assetClass', 'protocol', 'modbus', 'machineState', 'alarms'],
    check: async (file) => loadProfile(file),
  },
  {
    name: 'plant',
    telling: ['plant', 'stories'],
    keys: ['version', 'name', 'seed', 'group', 'edge', 'profiles', 'recordings', 'organisation', 'devices'],
    check: async (file) => (await import('#devices/load-plant.ts')).loadPlant(file),
  },
  {
    name: 'edge',
    telling: ['mqtt', 'scan', 'journal'],
    keys: ['version', 'group', 'edge', 'data', 'profiles', 'retry', 'status', 'devices'],
    check: async (file) => (await import('#edge/config.ts')).checkEdgeFile(file),
  },
  {
    name: 'organisation',
    telling: ['people', 'departments', 'assets', 'schedules'],
    keys: ['version', 'organisation', 'edges'],
    check: async (file) => loadYaml(file, OrganisationSeed, checkOrganisation),
  },
  {
    name: 'cloud',
    telling: [],
    keys: ['version', 'profiles', 'seed', 'log'],
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

/** The kind of a file by the keys at its top; undefined when it has none of theirs. */
export function kindOf(keys: readonly string[]): Kind | undefined {
  const scored = KINDS.map((kind) => ({ kind, score: scoreOf(kind, keys) })).sort((a, b) => b.score - a.score)
  const best = scored[0]
  return best && best.score > 0 ? best.kind : undefined
}

function scoreOf({ telling, keys }: Kind, present: readonly string[]): number {
  const count = (names: readonly string[]) => present.filter((key) => names.includes(key)).length
  const strangers = present.length - count(telling) - count(keys)
  return 3 * count(telling) + count(keys) - strangers
}

/** Checks one file of any kind; resolves to the kind's name. Rejects with ConfigError. */
export async function checkFile(file: string): Promise<string> {
  const kind = kindOf(topLevelKeys(readText(file)))
  if (!kind) {
    const expected = `an Andon file: ${KINDS.map((k) => k.name).join(', ')}`
    throw new ConfigError([{ file, path: '', found: 'none of its keys', expected, fix: 'check the path' }])
  }
  await kind.check(file)
  return kind.name
}
