import type { FaultCode, Path } from './config-error.ts'
import { nearest } from './nearest.ts'
import { acceptedBy, describeSchema, type Fields, isRecord, literals, type Schema } from './schema.ts'

/** A fault without its place in the file. `at` says whether the key or the value is to be pointed at. */
export interface Issue extends FaultCode {
  readonly path: Path
  readonly at?: 'key' | 'value'
  readonly found?: string
  readonly expected: string
  readonly nearest?: string
  readonly fix: string
}

type Report = (issue: Issue) => void

/** A value as short text: lists and groups by their kind, long text cut. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object') return 'a group of keys'
  const text = typeof value === 'string' ? `'${value}'` : String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

/** Checks a value against a schema and reports every fault; returns the value with the schema's defaults filled in. */
export function checkValue(schema: Schema, value: unknown, path: Path, report: Report): unknown {
  const allowed = literals(schema)
  if (allowed) return checkLiteral({ schema, value, path, report }, allowed)
  if (schema.anyOf) return checkUnion(schema.anyOf, value, path, report)
  if (schema.type === undefined) return value
  if (!hasType(schema.type, value)) {
    report(wrongType(schema, value, path))
    return value
  }
  if (isRecord(value)) return checkRecord(schema, value, path, report)
  if (Array.isArray(value)) return checkList(schema, value, path, report)
  if (!fits(schema, value)) report(outOfBounds(schema, value, path))
  return value
}

function hasType(type: string, value: unknown): boolean {
  if (type === 'object') return isRecord(value)
  if (type === 'array') return Array.isArray(value)
  if (type === 'null') return value === null
  if (type === 'integer') return Number.isInteger(value)
  const actual: string = typeof value
  return actual === type && !Number.isNaN(value)
}

function foundIn(schema: Schema, value: unknown): string {
  return schema.secret && typeof value === 'string' ? '[secret]' : shown(value)
}

/** What stands there for a screen that words it itself: groups by their kind. */
function foundParams(value: unknown): Record<string, string | number> {
  if (value === null || value === undefined) return { found: 'nothing' }
  if (Array.isArray(value)) return { found: 'list', count: value.length }
  return typeof value === 'object' ? { found: 'group' } : {}
}

function wrongType(schema: Schema, value: unknown, path: Path): Issue {
  const expected = describeSchema(schema)
  const isUnquoted = schema.type === 'string' && ['number', 'boolean'].includes(typeof value)
  const fix = isUnquoted ? `put the value in quotes: "${String(value)}"` : `write ${expected}`
  const worded = isUnquoted ? { code: 'unquoted', params: { value: String(value) } } : expecting(schema, value)
  return { path, found: foundIn(schema, value), expected, fix, ...worded }
}

function outOfBounds(schema: Schema, value: unknown, path: Path): Issue {
  const expected = describeSchema(schema)
  return { path, found: foundIn(schema, value), expected, fix: `write ${expected}`, ...expecting(schema, value) }
}

const expecting = (schema: Schema, value: unknown): FaultCode => ({
  ...{ code: 'value', params: foundParams(value), accepts: acceptedBy(schema) },
})

function fits(schema: Schema, value: unknown): boolean {
  if (typeof value === 'number') return fitsNumber(schema, value)
  if (typeof value === 'string') return fitsText(schema, value)
  return true
}

function fitsNumber(schema: Schema, value: number): boolean {
  return (
    value >= (schema.minimum ?? Number.NEGATIVE_INFINITY) &&
    value <= (schema.maximum ?? Number.POSITIVE_INFINITY) &&
    (schema.exclusiveMinimum === undefined || value > schema.exclusiveMinimum) &&
    (schema.exclusiveMaximum === undefined || value < schema.exclusiveMaximum)
  )
}

function fitsText(schema: Schema, value: string): boolean {
  const length = [...value].length
  if (length < (schema.minLength ?? 0) || length > (schema.maxLength ?? Number.POSITIVE_INFINITY)) return false
  return schema.pattern === undefined || new RegExp(schema.pattern, 'u').test(value)
}

interface Place {
  readonly schema: Schema
  readonly value: unknown
  readonly path: Path
  readonly report: Report
}

function checkLiteral({ schema, value, path, report }: Place, allowed: readonly unknown[]): unknown {
  if (allowed.includes(value)) return value
  const guess = nearest(String(value), allowed.map(String))
  const expected = describeSchema(schema)
  const fix = guess === undefined ? `write ${expected}` : `write ${guess}`
  const near = guess === undefined ? {} : { nearest: guess, code: 'value-near' }
  const worded = expecting(schema, value)
  const params = { ...worded.params, ...(guess === undefined ? {} : { guess }) }
  report({ path, found: shown(value), expected, fix, ...worded, ...near, params })
  return value
}

function checkRecord(schema: Schema, value: Fields, path: Path, report: Report): Fields {
  const properties = schema.properties ?? {}
  reportMissing(schema, value, path, report)
  const checked: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) {
    const own = properties[key] ?? openSchema(schema, key)
    if (own) checked[key] = checkValue(own, inner, [...path, key], report)
    else report(unknownKey(Object.keys(properties), key, path, inner))
  }
  for (const [key, own] of Object.entries(properties)) {
    if (own.default !== undefined && !(key in value)) {
      checked[key] = checkValue(own, structuredClone(own.default), [...path, key], report)
    }
  }
  return checked
}

function openSchema(schema: Schema, key: string): Schema | undefined {
  for (const [pattern, own] of Object.entries(schema.patternProperties ?? {})) {
    if (new RegExp(pattern, 'u').test(key)) return own
  }
  if (isRecord(schema.additionalProperties)) return schema.additionalProperties as Schema
  if (schema.additionalProperties === true) return {}
  return schema.additionalProperties === undefined && schema.patternProperties === undefined ? {} : undefined
}

function reportMissing(schema: Schema, value: Fields, path: Path, report: Report): void {
  const properties = schema.properties ?? {}
  const strangers = Object.keys(value).filter((key) => !(key in properties))
  for (const key of schema.required ?? []) {
    const own = properties[key]
    if (key in value || !own || own.default !== undefined) continue
    const misspelt = nearest(key, strangers)
    const expected = describeSchema(own)
    const fix = misspelt === undefined ? `add '${key}': ${expected}` : `rename '${misspelt}' to '${key}'`
    const worded: FaultCode =
      misspelt === undefined
        ? { code: 'missing', params: { key } }
        : { code: 'misspelt', params: { key, other: misspelt } }
    const told = { path: [...path, key], expected: `${expected}, but the key is missing`, fix }
    report({ ...told, ...worded, accepts: acceptedBy(own) })
  }
}

function unknownKey(known: readonly string[], key: string, path: Path, value: unknown): Issue {
  const guess = nearest(key, known)
  const expected = known.length > 0 ? `one of the keys ${known.join(', ')}` : 'no keys'
  const isRest = isRestOfText(key, value)
  const remove = isRest ? 'put the text with the comma before it in quotes' : `remove '${key}'`
  const fix = guess === undefined ? remove : `did you mean '${guess}'? Rename it, or remove it`
  const params = { key, known: known.join(', ') }
  const code = isRest ? 'rest-of-text' : 'unknown-key'
  const issue: Issue = { path: [...path, key], at: 'key', found: `unknown key '${key}'`, expected, fix, code, params }
  if (guess === undefined) return issue
  return { ...issue, nearest: guess, code: 'unknown-key-near', params: { ...params, guess } }
}

/** `{ en: Oil low, or hot }`: YAML ends the text at the comma and takes the rest for a key. */
const isRestOfText = (key: string, value: unknown) => value === null && key.includes(' ')

function checkList(schema: Schema, value: readonly unknown[], path: Path, report: Report): unknown[] {
  const { items, minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema
  const isTuple = Array.isArray(items)
  const most = isTuple ? items.length : maxItems
  if (value.length < minItems || value.length > most) report(outOfBounds(schema, value, path))
  return value.map((item, i) => {
    const own = isTuple ? (items as readonly Schema[])[i] : (items as Schema | undefined)
    return own ? checkValue(own, item, [...path, i], report) : item
  })
}

/** Judges a value by the one branch that it was meant for, so that a person reads about that branch alone. */
function checkUnion(branches: readonly Schema[], value: unknown, path: Path, report: Report): unknown {
  const open = branches.filter((b) => literals(b)?.includes(value) || hasAnyType(b, value))
  if (open.length === 0) {
    report(wrongType({ anyOf: branches }, value, path))
    return value
  }
  const tag = isRecord(value) ? discriminator(open) : undefined
  if (tag !== undefined && isRecord(value)) return checkTagged({ tag, branches: open }, value, path, report)
  return checkBest(open, value, path, report)
}

function hasAnyType(schema: Schema, value: unknown): boolean {
  if (schema.anyOf) return schema.anyOf.some((b) => hasAnyType(b, value))
  if (literals(schema)) return false
  return schema.type === undefined || hasType(schema.type, value)
}

/** The key that holds a different literal in every branch: `kind`, `type`. */
function discriminator(branches: readonly Schema[]): string | undefined {
  if (branches.length < 2) return undefined
  const first = Object.keys(branches[0]?.properties ?? {})
  return first.find((key) => branches.every((b) => literals(b.properties?.[key] ?? {}) !== undefined))
}

function checkTagged(
  union: { readonly tag: string; readonly branches: readonly Schema[] },
  value: Fields,
  path: Path,
  report: Report,
): unknown {
  const tagSchema = (b: Schema) => b.properties?.[union.tag] ?? {}
  const chosen = union.branches.find((b) => literals(tagSchema(b))?.includes(value[union.tag]))
  if (chosen) return checkRecord(chosen, value, path, report)
  const all: Schema = { anyOf: union.branches.map(tagSchema) }
  if (union.tag in value) return checkValue(all, value[union.tag], [...path, union.tag], report)
  const expected = describeSchema(all)
  const worded = { code: 'missing', params: { key: union.tag }, accepts: acceptedBy(all) }
  const missing = `${expected}, but the key is missing`
  report({ path: [...path, union.tag], expected: missing, fix: `add '${union.tag}'`, ...worded })
  return value
}

/** Without a telling key, the branch with the fewest faults is the one that was meant. */
function checkBest(branches: readonly Schema[], value: unknown, path: Path, report: Report): unknown {
  const tried = branches.map((branch) => {
    const issues: Issue[] = []
    return { checked: checkValue(branch, value, path, (i) => issues.push(i)), issues }
  })
  const best = tried.reduce((a, b) => (b.issues.length < a.issues.length ? b : a))
  best.issues.forEach(report)
  return best.checked
}
