import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Value } from 'typebox/value'
import { faultsOf } from '../door/validate.ts'

/**
 * Compiles a route's schema. Body: as it is, defaults filled in. Path, query and headers: texts turned into what the schema
 * wants, a single query value into a list of one.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema)
  const prepare = httpPart === 'body' ? (v: unknown) => v : (v: unknown) => Value.Convert(schema, asLists(schema, v))
  return (value: unknown) => {
    const prepared = Value.Default(schema, prepare(value))
    if (validator.Check(prepared)) return { value: prepared }
    return { error: [...validator.Errors(prepared)] as never }
  }
}

function asLists(schema: TSchema, value: unknown): unknown {
  const { properties } = schema as { properties?: Record<string, { type?: string }> }
  if (!properties || typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, v]) => {
    const wantsList = properties[key]?.type === 'array' && v !== undefined && !Array.isArray(v)
    return [key, wantsList ? [v] : v]
  })
  return Object.fromEntries(entries)
}

/** Checks replies against their schemas, unknown fields included; tests run with it, so that no reply drifts. */
export function checkReply(schema: TSchema, reply: unknown): void {
  const sent: unknown = JSON.parse(JSON.stringify(reply))
  const faults = faultsOf(schema, sent).map(({ path, message }) => `${path} ${message}`)
  const cleaned = Value.Clean(schema, structuredClone(sent))
  if (faults.length === 0 && JSON.stringify(cleaned) !== JSON.stringify(sent))
    faults.push('it holds fields that the schema lacks')
  if (faults.length > 0)
    throw new Error(`The reply does not fit its schema: ${faults.join('; ')}: ${JSON.stringify(sent)}`)
}
