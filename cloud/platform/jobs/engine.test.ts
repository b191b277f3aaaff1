import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { startTestDatabase, TEST_SECRET, type TestDatabase } from '#tests/support/postgres.ts'
import { connectionOf } from '../database/pools.ts'
import { newId } from '../id.ts'
import type { EngineJob, JobEngine } from './engine.ts'
import { startPgBoss } from './pg-boss.ts'

/** What every adapter of the port keeps; each is a way to start one on an empty store. */
const ADAPTERS: Record<string, () => Promise<JobEngine>> = {
  'pg-boss on PostgreSQL': () => startPgBoss(connectionOf(test.address, TEST_SECRET, 'andon_system'), silentLog),
}

let test: TestDatabase
beforeAll(async () => {
  test = await startTestDatabase()
})
afterAll(() => test.close())

const job = (more: Partial<EngineJob> = {}): EngineJob => ({
  id: newId(),
  queue: 'pages',
  org: newId(),
  data: { to: 'Li Na' },
  when: new Date(),
  attempts: 3,
  ...more,
})

describe.each(Object.entries(ADAPTERS))('%s', (_name, start) => {
  let engine: JobEngine
  const ran: { id: string; at: number }[] = []
  let wake = () => {}
  const failsOnce = new Set<string>()
  const runs = (id: string, times = 1) =>
    new Promise<void>((resolve) => {
      wake = () => ran.filter((r) => r.id === id).length >= times && resolve()
      wake()
    })
  const work = (given: JobEngine) =>
    given.work(async ({ id }) => {
      ran.push({ id, at: Date.now() })
      wake()
      if (failsOnce.delete(id)) throw new Error('the first try fails')
    })

  beforeAll(async () => {
    engine = await start()
    await work(engine)
  })
  afterAll(() => engine.close())

  it('runs a job soon, with its data', async () => {
    const soon = job()
    const asked = Date.now()
    await engine.put(soon)
    await runs(soon.id)
    expect(Date.now() - asked).toBeLessThan(3_000)
  })

  it('runs a delayed job not before its time and within about a second of it', async () => {
    const when = new Date(Date.now() + 700)
    const later = job({ when })
    await engine.put(later)
    await runs(later.id)
    const late = (ran.find((r) => r.id === later.id)?.at ?? 0) - when.getTime()
    expect(late).toBeGreaterThanOrEqual(0)
    expect(late).toBeLessThan(1_500)
  })

  it('keeps one job however often the same id is put', async () => {
    const twice = job()
    await engine.put(twice)
    await engine.put(twice)
    await runs(twice.id)
    const after = job()
    await engine.put(after)
    await runs(after.id)
    await engine.put(twice)
    expect(ran.filter((r) => r.id === twice.id)).toHaveLength(1)
  })

  it('tries a job again that failed', async () => {
    const failing = job()
    failsOnce.add(failing.id)
    await engine.put(failing)
    await runs(failing.id, 2)
  })

  it('forgets a cancelled job, and keeps the others over a restart', async () => {
    const gone = job({ when: new Date(Date.now() + 1_000) })
    const kept = job({ when: new Date(Date.now() + 1_200) })
    await engine.put(gone)
    await engine.put(kept)
    await engine.cancel(gone.id)
    await engine.close()
    engine = await start()
    await work(engine)
    await runs(kept.id)
    expect(ran.some((r) => r.id === gone.id)).toBe(false)
  })
})
