import { beforeAll, describe, expect, it } from 'vitest'
import type { WireEvent } from './capture.ts'
import { CLAUSE_IDS, CLAUSES_OF_CHAPTER, CLAUSES_OF_OTHERS } from './clause-ids.ts'
import { OTHER_EDGE_CLAUSES, TCK_EDGE_CLAUSES, TCK_OF_NESTED_TYPES } from './edge-clause-ids.ts'
import { EDGE_CLAUSES, EDGE_CLAUSES_ELSEWHERE } from './edge-clauses.ts'
import { followHost, liveOnce } from './edge-scenario.ts'
import { OTHER_HOST_CLAUSES, TCK_HOST_CLAUSES } from './host-clause-ids.ts'
import { HOST_CLAUSES, HOST_CLAUSES_ELSEWHERE } from './host-table.ts'

/** Every clause that is seen in a scene, and its mutant. */
function holds(scene: 'primary-host' | undefined, events: readonly WireEvent[]): void {
  const rows = EDGE_CLAUSES.filter((clause) => clause.scene === scene).map((clause) => [clause.id, clause] as const)
  it.each(rows)('keeps tck-id-%s', (_, { check }) => {
    expect(check(events)).toEqual([])
  })
  it.each(rows)('is caught breaking tck-id-%s', (_, { check, mutant }) => {
    expect(check(mutant([...events]))).not.toEqual([])
  })
}

describe('the edge node on the wire', () => {
  const events: WireEvent[] = []
  beforeAll(() => liveOnce(events))
  holds(undefined, events)
})

describe('the edge node that follows a primary host', () => {
  const events: WireEvent[] = []
  beforeAll(() => followHost(events))
  holds('primary-host', events)
})

describe('the table of clauses that bind an edge node', () => {
  it('has one row for each, and no other', () => {
    const rows = [...EDGE_CLAUSES.map(({ id }) => id), ...Object.keys(EDGE_CLAUSES_ELSEWHERE)]
    const clauses = [...Object.values(TCK_EDGE_CLAUSES).flat(), ...TCK_OF_NESTED_TYPES, ...OTHER_EDGE_CLAUSES]
    expect(rows.sort()).toEqual(clauses.sort())
  })
})

describe('the testable clauses of Sparkplug 3.0', () => {
  const all = Object.values(CLAUSE_IDS).flat()
  const edge = [...EDGE_CLAUSES.map(({ id }) => id), ...Object.keys(EDGE_CLAUSES_ELSEWHERE)]
  const host = [...HOST_CLAUSES.map(({ id }) => id), ...Object.keys(HOST_CLAUSES_ELSEWHERE)]

  it('are 299, as many in each chapter as the compatibility kit counts', () => {
    const counts = Object.fromEntries(Object.entries(CLAUSE_IDS).map(([chapter, ids]) => [chapter, ids.length]))
    expect(counts).toEqual(CLAUSES_OF_CHAPTER)
    expect(new Set(all).size).toBe(299)
  })

  it('stand in the table of the edge node, in that of the host, or bind neither; no row is of another', () => {
    const others = Object.keys(CLAUSES_OF_OTHERS)
    expect(all.filter((id) => ![...edge, ...host, ...others].includes(id))).toEqual([])
    expect(others.filter((id) => [...edge, ...host].includes(id))).toEqual([])
    const known = [...Object.values(TCK_HOST_CLAUSES).flat(), ...OTHER_HOST_CLAUSES]
    expect([...edge, ...known, ...others].filter((id) => !all.includes(id))).toEqual([])
  })
})
