import type { Person } from '#shared/contracts/person.ts'
import type { PersonListRow } from './store.ts'

/** A directory row as the wire has it. */
export function personOf(row: PersonListRow, onDuty: ReadonlySet<string>): Person {
  const department =
    row.department_id && row.department_name ? { id: row.department_id, name: row.department_name } : null
  return {
    id: row.id,
    name: row.name,
    userName: row.user_name ?? null,
    title: row.title,
    department,
    roles: row.roles as Person['roles'],
    trades: row.trades as Person['trades'],
    isOnDuty: onDuty.has(row.id),
  }
}

/** True when the words are part of the name, the user name, the title or the key (pinyin of the name), or its initials. */
export function isFoundBy(row: PersonListRow, words: string): boolean {
  const wanted = words.trim().toLowerCase()
  const initials = row.key
    .split('-')
    .map((part) => part[0])
    .join('')
  const texts = [row.name, row.user_name ?? '', row.title ?? '', row.key.replaceAll('-', ''), row.key, initials]
  return texts.some((text) => text.toLowerCase().includes(wanted))
}
