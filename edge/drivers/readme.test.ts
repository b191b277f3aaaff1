import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { optionTable } from '#shared/config/option-table.ts'
import { section, tableCells } from '#tests/support/readme.ts'
import { PROTOCOLS } from './registry.ts'

describe('the README of a driver (npm run tables writes it)', () => {
  it.each(PROTOCOLS.map(({ name, schema }) => [name, schema] as const))('holds the options of %s', (name, schema) => {
    const text = readFileSync(new URL(`./${name}/README.md`, import.meta.url), 'utf8')
    expect(tableCells(section(text, 'options'))).toEqual(tableCells(optionTable(schema)))
  })
})
