import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openJournal } from '#edge/journal/index.ts'
import type { EdgeModel } from '#edge/model.ts'
import { startUplink } from '#edge/uplink/index.ts'
import { silentLog } from '#shared/log/log.ts'
import { WireHost } from '#tests/support/wire-host.ts'
import { Capture } from './capture.ts'
import { OTHER_EDGE_CLAUSES, TCK_EDGE_CLAUSES, TCK_OF_NESTED_TYPES } from './edge-clause-ids.ts'
import { EDGE_CLAUSES, EDGE_CLAUSES_ELSEWHERE } from './edge-clauses.ts'

const directory = mkdtempSync(join(tmpdir(), 'conformance-'))
const host = new WireHost('plant', 'line-1')
const capture = new Capture(() => host.port)

/** One life of an edge node: births, data, a device that dies and returns, a rebirth, a cut link, a clean stop. */
async function live(): Promise<void> {
  const clock = { now: () => Date.now() }
  const journal = openJournal({ directory, config: { ballastMb: 0 }, clock, log: silentLog })
  const listeners = new Set<(device: string, isAlive: boolean) => void>()
  const alive = new Set(['meter-1', 'meter-2'])
  const model: EdgeModel = {
    group: 'plant',
    edge: 'line-1',
    devices: [...alive].map((device) => ({
      device,
      profile: 'meter',
      tags: ['power', 'energy'].map((tag) => ({
        id: journal.tagId(device, tag, 'double'),
        device,
        tag,
        type: 'double',
        unit: 'kW',
      })),
    })),
    current: (tagId) => (tagId % 2 ? { tagId, sourceAt: Date.now(), value: 1, quality: 64 } : undefined),
    isAlive: (device) => alive.has(device),
    onDeviceChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const setAlive = (device: string, isAlive: boolean) => {
    if (isAlive) alive.add(device)
    else alive.delete(device)
    for (const listener of listeners) listener(device, isAlive)
  }
  let value = 0
  const append = async (quality: 192 | 64 | 0 = 192) => {
    const samples = model.devices.flatMap(({ tags }) =>
      tags.map(({ id }) => ({ tagId: id, sourceAt: Date.now(), value: ++value, quality })),
    )
    await journal.append(samples)
    await host.until(() => host.committed.hasAll(1n, journal.newest))
  }
  const config = {
    url: `mqtt://127.0.0.1:${capture.port}`,
    keepAliveSeconds: 10,
    acknowledgement: 'required',
    backlogSamplesPerSecond: 50_000,
  } as const
  const timing = { heartbeatMs: 100, reconnectMinMs: 20, reconnectMaxMs: 50 }
  const uplink = startUplink({ config, model, journal, clock, log: silentLog, timing })
  await host.until(() => host.of('NDATA').length > 1)
  await append()
  await append(0)
  setAlive('meter-1', false)
  await host.until(() => host.of('DDEATH').length === 1)
  setAlive('meter-1', true)
  await append(64)
  host.command([{ name: 'Node Control/Rebirth', datatype: 11, boolean_value: true }])
  await host.until(() => host.of('NBIRTH').length === 2 && host.of('DBIRTH').length === 5)
  for (let i = 0; i < 150; i++) await append()
  capture.cut()
  await host.until(() => host.of('NBIRTH').length === 3)
  await append()
  await host.until(() => host.messages.at(-1)?.kind === 'NDATA')
  await uplink.close()
  await journal.close()
}

beforeAll(async () => {
  await host.start()
  await capture.start()
  await live()
})
afterAll(async () => {
  await capture.stop()
  await host.stop()
  rmSync(directory, { recursive: true })
})

describe('the edge node on the wire', () => {
  it.each(EDGE_CLAUSES.map((clause) => [clause.id, clause] as const))('keeps tck-id-%s', (_, { check }) => {
    expect(check(capture.events)).toEqual([])
  })
})

describe('the checker', () => {
  it.each(EDGE_CLAUSES.map((clause) => [clause.id, clause] as const))(
    'catches a breach of tck-id-%s',
    (_, { check, mutant }) => {
      expect(check(mutant([...capture.events]))).not.toEqual([])
    },
  )

  const ids = [...EDGE_CLAUSES.map(({ id }) => id), ...Object.keys(EDGE_CLAUSES_ELSEWHERE)]

  it('has one row for each clause', () => {
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('leaves out no clause that binds an edge node', () => {
    const known = [...Object.values(TCK_EDGE_CLAUSES).flat(), ...TCK_OF_NESTED_TYPES, ...OTHER_EDGE_CLAUSES]
    expect(known.filter((id) => !ids.includes(id))).toEqual([])
  })
})
