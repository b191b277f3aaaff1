import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { optionTable } from '#shared/config/option-table.ts'
import { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { Plant } from '#shared/contracts/plant.ts'

const readme = readFileSync(fileURLToPath(new URL('README.md', import.meta.url)), 'utf8')
const section = (name: string) => readme.split(`<!-- ${name} options -->\n`)[1]?.split('<!-- end -->')[0] ?? ''
/** The rows of a table without the blanks that a formatter lines up. */
const rows = (table: string) =>
  table
    .trim()
    .split('\n')
    .map((line) => line.replace(/ {2,}/g, ' ').replace(/-{3,}/g, '---'))

describe('the README of devices', () => {
  it.each([
    ['plant', Plant],
    ['profile', DeviceProfile],
  ])('holds the options of a %s as its schema tells them', (name, schema) => {
    expect(rows(section(name))).toEqual(rows(optionTable(schema)))
  })
})
