import { describe, expect, it } from 'vitest'
import type { Edge } from '#shared/contracts/edge.ts'
import { byHealth, certificateDays, concernsOf, fits, isShown, journalRoom } from './fleet.ts'

const NOW = Date.parse('2026-06-01T00:00:00Z')
const DAY_MS = 86_400_000

type Report = NonNullable<Edge['report']>
const JOURNAL = { depth: 0, sizeBytes: 100, maxBytes: 1000, oldestAt: null, discarded: 0 }

function report(told: { journal?: Partial<Report['journal']>; certificate?: Report['certificate'] } = {}): Report {
  return {
    ...{ at: NOW, startedAt: NOW, memoryBytes: 1, lanes: [], devices: [], leftOut: 0 },
    ...{ uplink: { connects: 1, resent: 0, backlog: 0 }, certificate: told.certificate ?? null },
    configuration: { version: 1, hash: 'a', fileHash: 'a', trialUntil: null, rolledBack: null },
    journal: { ...JOURNAL, ...told.journal },
  }
}

const STEP = { state: 'in-step', wantedVersion: 1, runningVersion: 1, runningHash: 'a' } as const

const box = (edge: string, own: Partial<Edge> = {}): Edge => ({
  ...{ id: edge, group: 'plant', edge, name: 'Hall 2', status: 'online', connectedAt: null, lastMessageAt: null },
  ...{ journalDepth: '0', gapCount: 0, lastGap: null, deviceCount: 0, tagCount: 0, faults: [], report: report() },
  configuration: { ...STEP, isEdited: false, trialUntil: null, rolledBack: null },
  ...own,
})
const ending = (days: number, renewal: 'not-due' | 'waits-for-confirmation' | 'failed' = 'not-due') =>
  box('a', { report: report({ certificate: { serial: '1', expiresAt: NOW + days * DAY_MS, renewal } }) })
const codes = (edge: Edge) => concernsOf(edge, NOW).map(({ code }) => code)

describe('the order of the fleet', () => {
  it('puts boxes that are cut off first, then faulty ones, then those never seen, then the well ones by name', () => {
    const fault = { code: 'device.offline', params: {}, detail: '' }
    const edges = [
      ...[box('well-b'), box('well-a'), box('new', { status: 'never' }), box('faulty', { faults: [fault] })],
      ...[box('off', { status: 'offline' }), box('silent', { status: 'stale' })],
    ]
    const names = edges.toSorted(byHealth(NOW)).map(({ edge }) => edge)
    expect(names).toEqual(['off', 'silent', 'faulty', 'new', 'well-a', 'well-b'])
    expect(edges.filter((edge) => isShown(edge, 'attention', NOW)).map(({ edge }) => edge)).toEqual([
      ...['faulty', 'off', 'silent'],
    ])
    expect(edges.filter((edge) => isShown(edge, 'never', NOW))).toHaveLength(1)
  })

  it('finds a box by its name on the wire and for people', () => {
    expect(['plant/line', 'LINE-1', ' hall 2 '].map((q) => fits(box('line-1'), q))).toEqual([true, true, true])
    expect(fits(box('line-1'), 'line-2')).toBe(false)
  })
})

describe('the room in a journal', () => {
  it('is told in bytes while nothing waits, and in time once it fills', () => {
    expect(journalRoom(box('a'))).toEqual({ percent: 10, freeBytes: 900, lastsMs: null })
    const filling = { depth: 5, oldestAt: NOW - 120_000, sizeBytes: 250 }
    expect(journalRoom(box('a', { report: report({ journal: filling }) }))?.lastsMs).toBe(360_000)
  })

  it('is not guessed from a backlog of seconds, nor told of a box that does not tell', () => {
    const short = { depth: 5, oldestAt: NOW - 1000 }
    expect(journalRoom(box('a', { report: report({ journal: short }) }))?.lastsMs).toBeNull()
    expect(journalRoom(box('a', { report: null }))).toBeNull()
  })
})

describe('what a box is watched for', () => {
  it('is nothing on a box that is well', () => {
    expect(codes(box('a'))).toEqual([])
    expect(codes(ending(60))).toEqual([])
  })

  it('is a certificate that ends and is not renewed, is over, or waits for a person', () => {
    expect(codes(ending(13))).toEqual(['edge.certificate-ends'])
    expect(codes(ending(-1))).toEqual(['edge.certificate-over'])
    expect(codes(ending(40, 'failed'))).toEqual(['edge.renewal-failed'])
    expect(codes(ending(-1, 'waits-for-confirmation'))).toEqual(['edge.renewal-waits'])
    expect([certificateDays(ending(13), NOW), certificateDays(box('a'), NOW)]).toEqual([13, null])
  })

  it('is a configuration that was changed at the box or taken back', () => {
    const { configuration } = box('a')
    expect(codes(box('a', { configuration: { ...configuration, state: 'drift' } }))).toEqual([
      'edge.configuration-drift',
    ])
    const rolledBack = { version: 3, at: new Date(NOW).toISOString(), reason: 'the cloud was not reached' }
    const back = box('a', { configuration: { ...configuration, state: 'rolled-back', rolledBack } })
    expect(concernsOf(back, NOW)[0]?.params).toEqual({ version: 3, reason: 'the cloud was not reached' })
  })

  it('is a device that does not answer, once, whoever noticed it', () => {
    const lost = (device: string) => ({
      device,
      protocol: 'modbus',
      state: 'lost' as const,
      since: NOW,
      error: 'no reply',
    })
    const devices = ['a', 'b'].map((name) => ({ ...lost(name), badTags: 0, overruns: 0 }))
    const fault = { code: 'device.offline', params: { device: 'a' }, detail: '' }
    const own = { faults: [fault], report: { ...report(), devices } }
    expect(codes(box('x', own))).toEqual(['device.offline', 'device.lost'])
    expect(codes(box('x', { ...own, status: 'stale' }))).toEqual(['device.offline'])
  })

  it('is a journal that is nearly full', () => {
    expect(codes(box('a', { report: report({ journal: { sizeBytes: 850 } }) }))).toEqual(['edge.journal-full'])
  })
})
