import { OrganisationSeed } from '#shared/contracts/organisation-seed.ts'
import type { Issue } from './check-value.ts'
import { nearest } from './nearest.ts'
import { loadYaml } from './yaml.ts'

/** Reads an organisation file. Throws ConfigError with every fault, names that are not in the file among them. */
export function loadOrganisation(file: string): OrganisationSeed {
  return loadYaml(file, OrganisationSeed, unknownNames)
}

interface Naming {
  readonly path: readonly (string | number)[]
  readonly name: string | undefined
}

/** Names that a part of the file gives to another part, and that are not there; names given twice. */
export function unknownNames(seed: OrganisationSeed): Issue[] {
  const departments = seed.departments.map((d) => d.department)
  const people = seed.people.map((p) => p.person)
  const assets = seed.assets.map((a) => a.asset)
  const each = <T>(list: readonly T[], key: string, at: string, name: (item: T) => string | undefined): Naming[] =>
    list.map((item, i) => ({ path: [at, i, key], name: name(item) }))
  return [
    ...missing(
      each(seed.people, 'department', 'people', (p) => p.department),
      departments,
      'a department of this file',
    ),
    ...missing(
      each(seed.departments, 'parent', 'departments', (d) => d.parent),
      departments,
      'a department of this file',
    ),
    ...missing(
      each(seed.assets, 'parent', 'assets', (a) => a.parent),
      assets,
      'an asset of this file',
    ),
    ...missing(
      each(seed.assets, 'owner', 'assets', (a) => a.owner),
      people,
      'a person of this file',
    ),
    ...missing(onDuty(seed), people, 'a person of this file'),
    ...twice(each(seed.departments, 'department', 'departments', (d) => d.department)),
    ...twice(each(seed.people, 'person', 'people', (p) => p.person)),
    ...twice(each(seed.people, 'account', 'people', (p) => p.account)),
    ...twice(each(seed.assets, 'asset', 'assets', (a) => a.asset)),
    ...twice(each(seed.schedules, 'trade', 'schedules', (s) => s.trade)),
  ]
}

function onDuty({ schedules }: OrganisationSeed): Naming[] {
  return schedules.flatMap((schedule, i) =>
    (['primary', 'backup'] as const).flatMap((layer) =>
      (schedule[layer] ?? []).map((name, j) => ({ path: ['schedules', i, layer, j], name })),
    ),
  )
}

function missing(namings: readonly Naming[], known: readonly string[], expected: string): Issue[] {
  return namings
    .filter(({ name }) => name !== undefined && !known.includes(name))
    .map(({ path, name = '' }) => {
      const guess = nearest(name, known)
      const fix = guess ? `write '${guess}'` : 'add it, or take the name out'
      return { path, found: `'${name}'`, expected, fix, ...(guess ? { nearest: guess } : {}) }
    })
}

function twice(namings: readonly Naming[]): Issue[] {
  const names = namings.map(({ name }) => name)
  return namings
    .filter(({ name }, i) => name !== undefined && names.indexOf(name) < i)
    .map(({ path, name }) => ({ path, found: `'${name}'`, expected: 'a name given once', fix: 'choose another name' }))
}
