/** Why a request is refused. One table in `http/problem.ts` maps each kind to a status. */
export type RefusalKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'stale'
  | 'revision-required'
  | 'too-many'
  | 'unavailable'

/** One fault of an input, found at a JSON pointer. */
export interface InputFault {
  readonly path: string
  readonly message: string
}

/** A refusal. `code` is public API (`incident.already-accepted`), the message is for people and may change. */
export class DomainError extends Error {
  override readonly name = 'DomainError'
  readonly kind: RefusalKind
  readonly code: string
  readonly faults: readonly InputFault[]

  constructor(kind: RefusalKind, code: string, message: string, faults: readonly InputFault[] = []) {
    super(message)
    this.kind = kind
    this.code = code
    this.faults = faults
  }
}

/** A refusal of what may be granted soon; the answer carries the time as `Retry-After`. */
export class BusyError extends DomainError {
  readonly retryAfterSeconds: number

  constructor(
    kind: 'too-many' | 'unavailable',
    code: string,
    { message, retryAfterSeconds }: { readonly message: string; readonly retryAfterSeconds: number },
  ) {
    super(kind, code, message)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Returns the row or refuses with `not-found`; `what` is the noun in the field's words, e.g. `incident`. */
export function found<T>(row: T | undefined, what: string, id: string): T {
  if (row === undefined) throw new DomainError('not-found', `${what}.unknown`, `There is no ${what} ${id}`)
  return row
}
