import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { ExecuteOptions } from '../door/door.ts'
import { DomainError } from '../errors.ts'

/** Reads `Idempotency-Key`, `If-Match` and `X-Andon-Reason` (URI-encoded UTF-8). Throws DomainError `invalid`. */
export function intentOf(headers: IncomingHttpHeaders): ExecuteOptions {
  const key = headers['idempotency-key']
  const reason = headers['x-andon-reason']
  if (typeof key === 'string' && (key.length < 1 || key.length > 200)) {
    throw new DomainError('invalid', 'idempotency-key.length', 'An Idempotency-Key has 1 to 200 characters')
  }
  return {
    idempotencyKey: typeof key === 'string' ? key : undefined,
    ifRevision: revisionOf(headers['if-match']),
    reason: typeof reason === 'string' ? decoded(reason) : undefined,
  }
}

function revisionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined
  const revision = /^\s*"(\d{1,9})"\s*$/.exec(ifMatch)?.[1]
  if (revision === undefined) {
    throw new DomainError('invalid', 'if-match.form', 'If-Match must be the ETag of the record, e.g. "3"')
  }
  return Number(revision)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Refuses an update that does not say which revision it changes. */
export function requireRevision({ ifRevision }: ExecuteOptions): number {
  if (ifRevision !== undefined) return ifRevision
  throw new DomainError('revision-required', 'if-match.required', 'Send If-Match with the ETag of the record you saw')
}

/** Tells the revision of what is answered, for a later `If-Match`. */
export function tellRevision(reply: FastifyReply, revision: number): void {
  reply.header('etag', `"${revision}"`)
}
