import type { Issue } from '#shared/config/check-value.ts'
import { unknownName } from '#shared/config/yaml.ts'
import type { OrganisationSeed } from '#shared/contracts/organisation-seed.ts'

type At = (string | number)[]

/** What the schema cannot say of an organisation: names used twice, and references to people, departments, assets and edges that are not there. */
export function checkOrganisation(seed: OrganisationSeed): Issue[] {
  const departments = seed.departments.map((d) => d.department)
  const people = seed.people.map((p) => p.person)
  const assets = seed.assets.map((a) => a.asset)
  return [
    ...twice(departments, 'departments', 'department'),
    ...twice(people, 'people', 'person'),
    ...twice(accounts(seed), 'people', 'account'),
    ...twice(assets, 'assets', 'asset'),
    ...parents(
      seed.departments.map((d) => d.parent),
      departments,
      ['departments'],
    ),
    ...parents(
      seed.assets.map((a) => a.parent),
      assets,
      ['assets'],
    ),
    ...seed.people.flatMap((p, i) => known(p.department, departments, ['people', i, 'department'], 'a department')),
    ...seed.assets.flatMap((a, i) => (a.owner ? known(a.owner, people, ['assets', i, 'owner'], 'a person') : [])),
    ...checkDevices(seed),
    ...seed.schedules.flatMap((schedule, i) => checkDuty(schedule, ['schedules', i], people)),
  ]
}

const accounts = (seed: OrganisationSeed) => seed.people.map((p, i) => p.account ?? `\0${i}`)

function known(name: string, names: readonly string[], path: At, what: string): Issue[] {
  return names.includes(name) ? [] : [unknownName(path, name, `${what} of this file`, names)]
}

function twice(names: readonly string[], list: string, key: string): Issue[] {
  return names.flatMap((name, i) => {
    if (names.indexOf(name) === i) return []
    return [
      { path: [list, i, key], found: `'${name}' again`, expected: `each ${key} once`, fix: 'rename one of the two' },
    ]
  })
}

/** A parent stands above its child in the file, so that there are no circles. */
function parents(wanted: readonly (string | undefined)[], names: readonly string[], list: At): Issue[] {
  return wanted.flatMap((parent, i) => {
    if (parent === undefined || names.slice(0, i).includes(parent)) return []
    return [unknownName([...list, i, 'parent'], parent, 'an entry above this one', names.slice(0, i))]
  })
}

function checkDevices(seed: OrganisationSeed): Issue[] {
  const edges = seed.edges.map((e) => `${e.group}/${e.edge}`)
  return seed.assets.flatMap(({ device }, i) => {
    if (!device) return []
    return known(`${device.group}/${device.edge}`, edges, ['assets', i, 'device', 'edge'], 'an edge')
  })
}

function checkDuty(schedule: OrganisationSeed['schedules'][number], path: At, people: readonly string[]): Issue[] {
  return (['primary', 'backup'] as const).flatMap((role) =>
    (schedule[role] ?? []).flatMap((person, i) => known(person, people, [...path, role, i], 'a person')),
  )
}
