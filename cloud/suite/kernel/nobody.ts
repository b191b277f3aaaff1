import type { Actor } from '#cloud/platform/door/actor.ts'
import { DomainError } from '#cloud/platform/errors.ts'

/** An id that no row has: asks for nobody's things, and keeps an empty list out of SQL. */
export const NOBODY = '00000000-0000-0000-0000-000000000000'

/** The person who acts. Throws `forbidden` for the product itself, which cannot answer or speak for anyone. */
export function personOf(actor: Actor): string {
  if (actor.id !== null) return actor.id
  throw new DomainError('forbidden', 'person.required', 'Only a person can do this')
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** True for what can be an id; anything else would be an error of the database. */
export const isId = (text: string): boolean => UUID.test(text)
