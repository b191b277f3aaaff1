import type { TSchema } from 'typebox'
import { describeSchema, literals, type Schema } from './schema.ts'

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
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

function rowsOf(schema: Schema, prefix: string): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, own]) => {
    const name = prefix === '' ? key : `${prefix}.${key}`
    const isRequired = (schema.required ?? []).includes(key) && own.default === undefined
    return [{ name, schema: own, isRequired }, ...innerRows(own, name)]
  })
}

function innerRows(schema: Schema, name: string): Row[] {
  if (literals(schema)) return []
  if (schema.anyOf) return schema.anyOf.flatMap((branch) => innerRows(branch, name)).filter(isFirst)
  if (schema.type === 'object') return rowsOf(schema, name)
  if (schema.type !== 'array' || Array.isArray(schema.items)) return []
  return innerRows((schema.items ?? {}) as Schema, `${name}[]`)
}

const isFirst = (row: Row, index: number, all: readonly Row[]) => all.findIndex((r) => r.name === row.name) === index
