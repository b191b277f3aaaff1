import type { Selectable } from 'kysely'
import { asJson, type Tx } from '#cloud/platform/database/database.ts'
import type { JsonColumn } from '#cloud/platform/database/tables.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'

interface DepartmentsTable {
  id: string
  org_id: string
  key: string
  parent_id: string | null
  name: JsonColumn<LocalizedText>
  position: number
}

interface PeopleTable {
  id: string
  org_id: string
  key: string
  name: string
  title: string | null
  department_id: string | null
  roles: string[]
  trades: string[]
  skills: string[]
  created_at: Date
}

export type DepartmentRow = Selectable<DepartmentsTable>
export type PersonRow = Selectable<PeopleTable>

/** All SQL of the directory, in the caller's transaction. */
export function directoryStore(tx: Tx) {
  const db = tx.withTables<{ departments: DepartmentsTable; people: PeopleTable }>()
  const people = () =>
    db
      .selectFrom('people')
      .leftJoin('departments', 'departments.id', 'people.department_id')
      .leftJoin('accounts', 'accounts.person_id', 'people.id')
      .selectAll('people')
      .select(['departments.name as department_name', 'accounts.user_name'])
  return {
    async refs(ids: readonly string[]) {
      if (ids.length === 0) return []
      return db
        .selectFrom('people')
        .select(['id', 'name'])
        .where('id', 'in', [...ids])
        .execute()
    },
    person: (id: string) => people().where('people.id', '=', id).executeTakeFirst(),
    list: () => people().orderBy('people.name').limit(5000).execute(),
    withRole: (role: string) =>
      db
        .selectFrom('people')
        .select(['id', 'name'])
        .where((eb) => eb(eb.val(role), '=', eb.fn.any('roles')))
        .orderBy('key')
        .execute(),
    departments: () =>
      db
        .selectFrom('departments')
        .selectAll()
        .select((eb) =>
          eb
            .selectFrom('people')
            .whereRef('people.department_id', '=', 'departments.id')
            .select((q) => q.fn.countAll<string>().as('n'))
            .as('member_count'),
        )
        .orderBy('position')
        .execute(),
    addDepartment: (row: DepartmentRow) =>
      db
        .insertInto('departments')
        .values({ ...row, name: asJson(row.name) })
        .execute(),
    addPerson: (row: PersonRow) => db.insertInto('people').values(row).execute(),
    departmentKeys: () => db.selectFrom('departments').select(['id', 'key']).execute(),
    personKeys: () => db.selectFrom('people').select(['id', 'key']).execute(),
  }
}

export type PersonListRow = Awaited<ReturnType<ReturnType<typeof directoryStore>['list']>>[number]
