import { DomainError, type InputFault, type RefusalKind } from '#cloud/platform/errors.ts'
import { ConfigError, type Fault } from '#shared/config/config-error.ts'
import { HistoryTimeoutError } from '../historian/historian.ts'

/** An error as it travels. */
export interface PackedError {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly kind?: RefusalKind
  readonly faults?: readonly (InputFault | Fault)[]
  readonly stack?: string
}

/** Takes down of an error what the other end needs to act on it and to log it. */
export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const { name, message, stack, code } = error as Error & { code?: unknown }
  const own = { name, message, ...(typeof code === 'string' ? { code } : {}), ...(stack ? { stack } : {}) }
  if (error instanceof DomainError) return { ...own, kind: error.kind, faults: error.faults }
  return error instanceof ConfigError ? { ...own, faults: error.faults } : own
}

/** The error again, of its own class where callers tell classes apart. */
export function unpackError(packed: PackedError): Error {
  const { name, message, code, kind, faults = [], stack } = packed
  if (kind && code) return new DomainError(kind, code, message, faults as readonly InputFault[])
  if (name === 'ConfigError') return new ConfigError(faults as readonly Fault[])
  if (name === 'HistoryTimeoutError') return new HistoryTimeoutError(message)
  return Object.assign(new Error(message), { name, ...(code ? { code } : {}), ...(stack ? { stack } : {}) })
}
