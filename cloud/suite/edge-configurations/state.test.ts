import { describe, expect, it } from 'vitest'
import type { EdgeStatus } from '#cloud/pipeline/index.ts'
import { configurationState } from './state.ts'

const TAKEN_AT = 1_000_000
const [OLD, NEW, OTHER] = ['a'.repeat(64), 'b'.repeat(64), 'c'.repeat(64)]
const wanted = { version: 2, hash: NEW, replaces: OLD, takenAt: TAKEN_AT }
type Told = NonNullable<EdgeStatus['report']>['configuration']

const seen = (told: Partial<Told>, afterMs: number) => {
  const configuration = { version: 1, hash: OLD, fileHash: OLD, trialUntil: null, rolledBack: null, ...told }
  const report = { configuration } as NonNullable<EdgeStatus['report']>
  return configurationState({ report }, wanted, TAKEN_AT + afterMs)
}

describe('a version that a box took', () => {
  it('is on trial while the box has not told anything since, not drift', () => {
    const trialUntil = new Date(TAKEN_AT + 300_000).toISOString()
    expect(seen({}, 2000)).toMatchObject({ state: 'on-trial', runningVersion: 2, trialUntil })
    expect(seen({}, 330_000).state).toBe('on-trial')
  })

  it('is drift when the box still tells of the old one long after', () => {
    expect(seen({}, 400_000).state).toBe('drift')
    expect(seen({ hash: OTHER, fileHash: OTHER }, 2000).state).toBe('drift')
  })

  it('is rolled back once the box says so, unless that was the time before', () => {
    const rolledBack = { version: 2, at: TAKEN_AT + 300_000, reason: 'the cloud was not reached' }
    expect(seen({ rolledBack }, 301_000).state).toBe('rolled-back')
    expect(seen({ rolledBack: { ...rolledBack, at: TAKEN_AT - 1 } }, 2000).state).toBe('on-trial')
  })

  it('is in step when the box runs it', () => {
    expect(seen({ version: 2, hash: NEW, fileHash: NEW }, 2000)).toMatchObject({ state: 'in-step', trialUntil: null })
  })
})
