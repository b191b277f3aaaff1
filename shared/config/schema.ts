import type { AddressUse } from '#shared/contracts/address.ts'
import type { Accepted } from '#shared/contracts/edge-configuration.ts'

/** The part of JSON Schema that configuration files use, read from TypeBox schemas. */
export interface Schema {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema | readonly Schema[]
  readonly minItems?: number
  readonly maxItems?: number
  readonly minProperties?: number
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly default?: unknown
  readonly description?: string
  /** The value is a secret: never shown in a fault or a table. */
  readonly secret?: boolean
  /** What is accepted, in plain words, where the keywords would be hard to read. */
  readonly words?: string
  /** The value is a network address: a URL, or an object with `host` and `port`. */
  readonly address?: AddressUse
}

export type Fields = Readonly<Record<string, unknown>>

export const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The values that a schema of literals allows; undefined when it allows more than literals. */
export function literals(schema: Schema): readonly unknown[] | undefined {
  if (schema.const !== undefined) return [schema.const]
  if (schema.enum) return schema.enum
  const inner = schema.anyOf?.map(literals)
  return inner?.every((l) => l !== undefined) ? inner.flat() : undefined
}

/** True for a text in both languages of the product. */
export const isLocalized = ({ properties }: Schema): boolean =>
  properties !== undefined && Object.keys(properties).join() === 'en,zh-CN'

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'a group of keys',
  array: 'a list',
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'nothing',
}

/** Patterns that have a name in plain words. */
const PATTERN_WORDS: Readonly<Record<string, string>> = {
  '^[a-z0-9]+(-[a-z0-9]+)*$': 'lower-case letters, digits and single hyphens',
  '^-?\\d+$': 'a whole number in quotes',
}

const BOUND_WORDS = [
  ['minimum', (n) => `at least ${n}`],
  ['exclusiveMinimum', (n) => `more than ${n}`],
  ['maximum', (n) => `at most ${n}`],
  ['exclusiveMaximum', (n) => `less than ${n}`],
  ['pattern', (p) => PATTERN_WORDS[p] ?? `matching ${p}`],
  ['minLength', (n) => (n === '1' ? 'not empty' : `at least ${n} characters`)],
  ['maxLength', (n) => `at most ${n} characters`],
  ['minItems', (n) => `at least ${n} in it`],
  ['maxItems', (n) => `at most ${n} in it`],
] as const satisfies readonly (readonly [keyof Schema, (bound: string) => string])[]

function bounds(schema: Schema): string {
  const told = BOUND_WORDS.flatMap(([key, word]) => (schema[key] === undefined ? [] : [word(String(schema[key]))]))
  return told.length > 0 ? ` (${told.join(', ')})` : ''
}

/** What a schema accepts, in parts: one entry for each kind of value. */
export function acceptedBy(schema: Schema): Accepted[] {
  const { words = null, type = null, anyOf } = schema
  const allowed = words === null ? literals(schema) : undefined
  if (allowed) return [{ type: null, values: allowed.map(String), bounds: [], words }]
  if (words === null && anyOf) return anyOf.flatMap(acceptedBy)
  const bounds = BOUND_WORDS.flatMap(([bound]) =>
    schema[bound] === undefined ? [] : [{ bound, value: String(schema[bound]) }],
  )
  return [{ type: isLocalized(schema) ? 'localized' : type, values: [], bounds, words }]
}

/** What a schema accepts, in plain words: `a whole number (at least 1, at most 65535)`. */
export function describeSchema(schema: Schema): string {
  if (schema.words !== undefined) return schema.words
  const allowed = literals(schema)
  if (allowed) return allowed.length === 1 ? String(allowed[0]) : `one of ${allowed.join(', ')}`
  if (schema.anyOf) return [...new Set(schema.anyOf.map(describeSchema))].join(' or ')
  if (isLocalized(schema)) return 'a text in both languages: { en, zh-CN }'
  const word = schema.type === undefined ? 'any value' : (TYPE_WORDS[schema.type] ?? schema.type)
  return `${word}${bounds(schema)}`
}
