import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { optionTable } from '#shared/config/option-table.ts'
import { section, tableCells } from '#tests/support/readme.ts'
import { EdgeFile } from './config.ts'
import { metricsTable } from './status/metric-text.ts'
import { allMetrics } from './status/metrics.ts'
import { plantSources } from './status/testing/plant.ts'

const readme = readFileSync(fileURLToPath(new URL('README.md', import.meta.url)), 'utf8')

describe('the README of the edge (npm run tables writes it)', () => {
  it('holds the options of edge.yaml as their schema tells them', () => {
    expect(tableCells(section(readme, 'options'))).toEqual(tableCells(optionTable(EdgeFile)))
  })

  it('holds every figure of /metrics with its meaning', () => {
    expect(tableCells(section(readme, 'metrics'))).toEqual(tableCells(metricsTable(allMetrics(plantSources()))))
  })

  it('says of each of them what it does', () => {
    const silent = tableCells(section(readme, 'options')).filter((cells) => cells.at(-2) === '')
    expect(silent).toEqual([])
  })
})
