import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { optionTable } from '#shared/config/option-table.ts'
import { PROTOCOLS } from './registry.ts'

/** A table without the spaces and dashes that the formatter lines up. */
const cells = (table: string) =>
  table
    .trim()
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim().replace(/^-+$/, '-')))

describe('the README of a driver', () => {
  it.each(PROTOCOLS.map(({ name, schema }) => [name, schema] as const))('holds the options of %s', (name, schema) => {
    const text = readFileSync(new URL(`./${name}/README.md`, import.meta.url), 'utf8')
    const [, options = ''] = /<!-- options -->\n([\s\S]*?)<!-- \/options -->/.exec(text) ?? []
    expect(cells(options)).toEqual(cells(optionTable(schema)))
  })
})
