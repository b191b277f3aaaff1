import type { Tx } from '#cloud/platform/database/database.ts'
import type { Module } from '#cloud/platform/module.ts'
import type { PersonRef } from '#shared/contracts/person.ts'
import { STAFF, type SuiteDeps } from '../kernel/index.ts'
import { personOf } from './person.ts'
import { directoryRoutes } from './routes.ts'
import { directoryStore } from './store.ts'

export { type ImportedPeople, importPeople } from './import.ts'

/** Who is on duty at a moment; answered by the duty schedules. */
export type OnDuty = (tx: Tx, at: Date) => Promise<ReadonlySet<string>>

/** People and departments, as other modules ask for them. */
export interface Directory {
  readonly module: Module
  /** Names by id; ids that are null, empty (nobody of ours) or unknown are left out. */
  refs(tx: Tx, ids: Iterable<string | null | undefined>): Promise<PersonRefs>
  /** Everyone who holds the role, in a stable order. */
  withRole(tx: Tx, role: string): Promise<PersonRef[]>
}

export type PersonRefs = ReadonlyMap<string, PersonRef>

/** The chip of a person: null for nobody, the bare id for someone who left the directory. */
export function chip(refs: PersonRefs, id: string | null | undefined): PersonRef | null {
  if (!id) return null
  return refs.get(id) ?? { id, name: '—' }
}

/** Wires the directory. */
export function createDirectory(deps: SuiteDeps, onDuty: OnDuty): Directory {
  const refs: Directory['refs'] = async (tx, ids) => {
    const wanted = [...new Set([...ids].flatMap((id) => id || []))]
    return new Map((await directoryStore(tx).refs(wanted)).map((row) => [row.id, row]))
  }
  return {
    refs,
    withRole: (tx, role) => directoryStore(tx).withRole(role),
    module: {
      name: 'directory',
      routes: (app) => directoryRoutes(app, { ...deps, onDuty }),
      rules: [{ name: 'staff-see-people', roles: STAFF, actions: ['person.view', 'department.view'] }],
      async person(tx, personId) {
        const row = await directoryStore(tx).person(personId)
        return row && personOf(row, await onDuty(tx, new Date(deps.clock())))
      },
    },
  }
}
