import type { TSchema } from 'typebox'
import { describeSchema, isLocalized, literals, type Schema } from './schema.ts'

interface Row {
  readonly name: string
  readonly schema: Schema
  readonly isRequired: boolean
}

/** A Markdown table of every option of a schema: name, what it accepts, default, description. READMEs carry it, tests compare it. */
export function optionTable(schema: TSchema): string {
  const rows = rowsOf(schema as Schema, '')
  const lines = rows.map(({ name, schema: s, isRequired }) => {
    const fallback = s.default === undefined ? (isRequired ? 'required' : '') : code(JSON.stringify(s.default))
    return `| ${code(name)} | ${cell(describeSchema(s))} | ${fallback} | ${cell(s.description ?? '')} |`
  })
  return ['| option | accepts | default | what it does |', '| --- | --- | --- | --- |', ...lines].join('\n')
}

const code = (text: string) => `\`${text}\``
/** `<` would begin an element of HTML in Markdown. */
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ')

function rowsOf(schema: Schema, prefix: string): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, own]) => {
    const name = prefix === '' ? key : `${prefix}.${key}`
    const isRequired = (schema.required ?? []).includes(key) && own.default === undefined
    return [{ name, schema: own, isRequired }, ...innerRows(own, name)]
  })
}

function innerRows(schema: Schema, name: string): Row[] {
  if (literals(schema) || isLocalized(schema)) return []
  if (schema.anyOf) return merged(schema.anyOf.flatMap((branch) => innerRows(branch, name)))
  if (schema.type === 'object') {
    const [named] = Object.values(schema.patternProperties ?? {})
    return named ? innerRows(named, `${name}.*`) : rowsOf(schema, name)
  }
  if (schema.type !== 'array' || Array.isArray(schema.items)) return []
  return innerRows((schema.items ?? {}) as Schema, `${name}[]`)
}

/** Branches of a union may share a key: one row that accepts what any of them does. */
function merged(rows: readonly Row[]): Row[] {
  const byName = Map.groupBy(rows, (row) => row.name)
  return [...byName.values()].flatMap((group) => {
    const [first] = group
    if (!first) return []
    const schemas = group.map((row) => row.schema)
    return [group.length === 1 ? first : { ...first, schema: eitherOf(first.schema, schemas) }]
  })
}

function eitherOf(first: Schema, all: readonly Schema[]): Schema {
  const { const: _one, ...rest } = first
  const allowed = all.map(literals)
  if (allowed.every((a) => a !== undefined)) return { ...rest, enum: allowed.flat() }
  return new Set(all.map(describeSchema)).size > 1 ? { ...rest, anyOf: all } : first
}
