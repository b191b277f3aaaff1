import { describe, expect, it } from 'vitest'
import type { Asset } from '#shared/contracts/asset.ts'
import { byUrgency, linesOf, tallyOf } from './board-lines.ts'

const asset = (id: string, kind: Asset['kind'], parentId: string | null, extra: Partial<Asset> = {}): Asset => ({
  id,
  parentId,
  code: id,
  name: { en: id, 'zh-CN': id },
  kind,
  assetClass: null,
  criticality: null,
  position: 0,
  path: [],
  owner: null,
  device: null,
  state: { state: 'running', since: null },
  worstPriority: null,
  activeAlarmCount: 0,
  openIncidentCount: 0,
  ...extra,
})

describe('the lines of the board', () => {
  const plant = [
    asset('site', 'site', null),
    asset('L1', 'work-center', 'site'),
    asset('B', 'work-unit', 'L1', { position: 2, state: { state: 'unplanned-stop', since: null } }),
    asset('A', 'work-unit', 'L1', { position: 1 }),
    asset('utility', 'work-unit', 'site', { state: { state: 'no-data', since: null } }),
  ]
  it('hold every machine once, in its place', () => {
    expect(linesOf(plant).map((line) => [line.asset.id, line.machines.map((m) => m.id)])).toEqual([
      ['site', ['utility']],
      ['L1', ['A', 'B']],
    ])
  })
  it('are counted by what the machines do', () => {
    expect(tallyOf(linesOf(plant))).toEqual({ running: 1, stopped: 1, noData: 1, other: 0 })
  })
})

describe('incidents on the board', () => {
  it('stand unaccepted first, then gravest, then oldest', () => {
    const incident = (severity: string, acceptedBy: readonly string[], startedAt: string) => ({
      severity,
      acceptedBy,
      startedAt,
    })
    const a = incident('S1', ['x'], '1')
    const b = incident('S3', [], '2')
    const c = incident('S2', [], '9')
    const d = incident('S2', [], '3')
    expect([a, b, c, d].sort(byUrgency)).toEqual([d, c, b, a])
  })
})
