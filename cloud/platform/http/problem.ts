import { STATUS_CODES } from 'node:http'
import type { FastifyError } from 'fastify'
import type { Problem } from '#shared/contracts/http.ts'
import { describeFaults } from '../door/validate.ts'
import { DomainError, type InputFault, type RefusalKind } from '../errors.ts'

/** The one table from refusals to HTTP. */
export const STATUS_OF: Readonly<Record<RefusalKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  stale: 412,
  'revision-required': 428,
  'too-many': 429,
  unavailable: 503,
}

/** Codes of faults that the HTTP layer itself finds. */
const CODE_OF_STATUS: Readonly<Record<number, string>> = {
  400: 'request.invalid',
  404: 'route.unknown',
  405: 'request.method',
  413: 'request.too-large',
  415: 'request.media-type',
  429: 'request.too-many',
}

/** RFC 9457 problem details of whatever was thrown. A bug (500) tells nothing of itself but the trace id. */
export function problemOf(error: unknown, traceId: string): Problem {
  if (error instanceof DomainError) return refusal(error, traceId)
  const { validation, validationContext, statusCode = 500, message } = error as FastifyError
  if (validation) {
    const errors = describeFaults(validation as never).map((fault) => within(validationContext, fault))
    return problem(400, 'input.invalid', { detail: `The request has ${errors.length} fault(s)`, errors, traceId })
  }
  if (statusCode >= 400 && statusCode < 500) {
    return problem(statusCode, CODE_OF_STATUS[statusCode] ?? 'request.refused', { detail: message, traceId })
  }
  return problem(500, 'fault.internal', {
    detail: 'The product has a fault; the log tells more under this id',
    traceId,
  })
}

function refusal({ kind, code, message, faults }: DomainError, traceId: string): Problem {
  const errors = faults.length > 0 ? { errors: [...faults] } : {}
  return problem(STATUS_OF[kind], code, { detail: message, ...errors, traceId })
}

function problem(status: number, code: string, more: Partial<Problem>): Problem {
  return { type: `urn:andon:problem:${code}`, title: STATUS_CODES[status] ?? 'Refused', status, code, ...more }
}

/** Faults outside the body say where they are: `/query/limit`. */
function within(part: string | undefined, { path, message }: InputFault): InputFault {
  const prefix = part === 'querystring' ? '/query' : part === 'params' ? '/path' : part === 'headers' ? '/headers' : ''
  return { path: `${prefix}${path}`, message }
}
