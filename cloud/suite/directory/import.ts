import type { Tx } from '#cloud/platform/database/database.ts'
import { newId } from '#cloud/platform/id.ts'
import type { OrganisationSeed, SeedPerson } from '#shared/contracts/organisation-seed.ts'
import { directoryStore } from './store.ts'

/** Ids of people by their key in the file, and those who were added now. */
export interface ImportedPeople {
  readonly ids: ReadonlyMap<string, string>
  readonly added: readonly { readonly id: string; readonly person: SeedPerson }[]
}

/** Adds the departments and people of the file that are not there yet; nothing that exists is changed. */
export async function importPeople(tx: Tx, org: string, seed: OrganisationSeed, at: Date): Promise<ImportedPeople> {
  const departments = await importDepartments(tx, org, seed)
  const store = directoryStore(tx)
  const ids = new Map((await store.personKeys()).map((row) => [row.key, row.id]))
  const added: { id: string; person: SeedPerson }[] = []
  for (const person of seed.people.filter((p) => !ids.has(p.person))) {
    const id = newId()
    ids.set(person.person, id)
    added.push({ id, person })
    await store.addPerson({
      id,
      org_id: org,
      key: person.person,
      name: person.name,
      title: person.title ?? null,
      department_id: departments.get(person.department) ?? null,
      roles: [...person.roles],
      trades: [...(person.trades ?? [])],
      skills: [...(person.skills ?? [])],
      created_at: at,
    })
  }
  return { ids, added }
}

async function importDepartments(tx: Tx, org: string, seed: OrganisationSeed): Promise<Map<string, string>> {
  const store = directoryStore(tx)
  const ids = new Map((await store.departmentKeys()).map((row) => [row.key, row.id]))
  for (const [position, { department, name, parent }] of seed.departments.entries()) {
    if (ids.has(department)) continue
    const id = newId()
    ids.set(department, id)
    const parent_id = parent ? (ids.get(parent) ?? null) : null
    await store.addDepartment({ id, org_id: org, key: department, parent_id, name, position })
  }
  return ids
}
