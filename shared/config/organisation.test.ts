import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { OrganisationSeed } from '#shared/contracts/organisation-seed.ts'
import { loadOrganisation, unknownNames } from './organisation.ts'

const shipped = fileURLToPath(new URL('../../devices/plants/module-factory.organisation.yaml', import.meta.url))

const name = { en: 'x', 'zh-CN': 'x' }
const seed: OrganisationSeed = {
  version: 1,
  organisation: { key: 'o', name, timeZone: 'UTC' },
  edges: [],
  departments: [{ department: 'crew', name }],
  people: [{ person: 'zhang-wei', name: '张伟', department: 'crew', roles: ['technician'] }],
  assets: [{ asset: 'L1', name, kind: 'work-center' }],
  schedules: [],
}

describe('an organisation file', () => {
  it('that is shipped has no fault, and an account for each role of the demonstration', () => {
    const accounts = loadOrganisation(shipped).people.flatMap((p) => p.account ?? [])
    expect(accounts.sort()).toEqual(['admin', 'electrician', 'engineer', 'lead', 'maintainer', 'manager', 'operator'])
  })

  it('names only what it holds, and the nearest name is told', () => {
    const faults = unknownNames({
      ...seed,
      assets: [{ asset: 'L1', name, kind: 'work-center', parent: 'L9', owner: 'zhang-wie' }],
    })
    expect(faults.map((f) => [f.path.join('.'), f.nearest])).toEqual([
      ['assets.0.parent', 'L1'],
      ['assets.0.owner', 'zhang-wei'],
    ])
  })

  it('gives each name once', () => {
    const faults = unknownNames({ ...seed, departments: [...seed.departments, { department: 'crew', name }] })
    expect(faults.map((f) => f.path.join('.'))).toEqual(['departments.1.department'])
  })
})
