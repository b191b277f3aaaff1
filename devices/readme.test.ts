import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { optionTable } from '#shared/config/option-table.ts'
import { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { Plant } from '#shared/contracts/plant.ts'
import { section, tableCells } from '#tests/support/readme.ts'

const readme = readFileSync(fileURLToPath(new URL('README.md', import.meta.url)), 'utf8')

describe('the README of devices (npm run tables writes it)', () => {
  it.each([
    ['plant', Plant],
    ['profile', DeviceProfile],
  ])('holds the options of a %s as its schema tells them', (name, schema) => {
    expect(tableCells(section(readme, `${name} options`))).toEqual(tableCells(optionTable(schema)))
  })
})
