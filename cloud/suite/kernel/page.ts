import { DomainError } from '#cloud/platform/errors.ts'
import { isId } from './nobody.ts'

/** Where the next page begins: the sort keys of the last row, opaque to callers. */
export function encodeCursor(keys: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url')
}

/** Reads a cursor of `encodeCursor`; throws DomainError `invalid` for anything else. */
function decodeCursor(cursor: string): readonly (string | number)[] {
  try {
    const keys: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(keys)) return keys
  } catch (cause) {
    throw badCursor(cause)
  }
  throw badCursor()
}

/** The id with which the page before ended. Throws DomainError `invalid`. */
export function cursorId(cursor: string): string {
  const id = cursorText(cursor)
  if (!isId(id)) throw badCursor()
  return id
}

/** The number with which the page before ended. Throws DomainError `invalid`. */
export function cursorNumber(cursor: string): number {
  const [number] = decodeCursor(cursor)
  if (!Number.isSafeInteger(number)) throw badCursor()
  return Number(number)
}

/** The text with which the page before ended. Throws DomainError `invalid`. */
export function cursorText(cursor: string): string {
  const [text] = decodeCursor(cursor)
  if (typeof text !== 'string') throw badCursor()
  return text
}

function badCursor(cause?: unknown): DomainError {
  const error = new DomainError('invalid', 'page.bad-cursor', 'The cursor is not one that this list gave')
  if (cause) error.cause = cause
  return error
}

/** Cuts one page from rows that were read one beyond the limit. */
export function pageOf<T>(
  rows: readonly T[],
  limit: number,
  keysOf: (row: T) => readonly (string | number)[],
): { items: T[]; nextCursor: string | null } {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, nextCursor: rows.length > limit && last ? encodeCursor(keysOf(last)) : null }
}

/** A whole list in one page. */
export const onePage = <T>(items: readonly T[]): { items: T[]; nextCursor: null } => ({
  items: [...items],
  nextCursor: null,
})
