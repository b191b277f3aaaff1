import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { optionTable } from '#shared/config/option-table.ts'
import { section, tableCells } from '#tests/support/readme.ts'
import { settingsRead } from '#tests/support/settings.ts'
import { command } from '../commands/cloud.ts'
import { CloudFile } from './config.ts'
import { CLOUD_SETTINGS, LATER, settingsTable } from './settings.ts'

const readme = readFileSync(fileURLToPath(new URL('README.md', import.meta.url)), 'utf8')

describe('the settings of the cloud', () => {
  const names = CLOUD_SETTINGS.map(({ name }) => name)

  it('are all told, and no others', () => {
    const seed = join(mkdtempSync(join(tmpdir(), 'andon-settings-')), 'cloud.yaml')
    writeFileSync(seed, 'version: 1\nseed: works.yaml\n')
    expect([...settingsRead(seed)].filter((name) => !(LATER as readonly string[]).includes(name)).toSorted()).toEqual(
      names.toSorted(),
    )
  })

  it('stand in andon cloud --help', () => {
    for (const name of names) expect(command.help).toMatch(new RegExp(`^${name} +\\S`, 'm'))
  })

  it('stand in the README as the help tells them', () => {
    expect(tableCells(section(readme, 'settings'))).toEqual(tableCells(settingsTable()))
  })
})

describe('the README of the cloud (npm run tables writes it)', () => {
  it('holds the options of cloud.yaml as their schema tells them', () => {
    expect(tableCells(section(readme, 'options'))).toEqual(tableCells(optionTable(CloudFile)))
  })

  it('says of each of them what it does', () => {
    const silent = tableCells(section(readme, 'options')).filter((cells) => cells.at(-2) === '')
    expect(silent).toEqual([])
  })
})
