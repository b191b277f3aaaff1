import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashEdgeSecret, type Pipeline, startPipeline } from '#cloud/pipeline/index.ts'
import { type Journal, openJournal } from '#edge/journal/index.ts'
import type { EdgeModel, TagSample } from '#edge/model.ts'
import { startUplink, type Uplink } from '#edge/uplink/index.ts'
import { silentLog } from '#shared/log/log.ts'
import { startTestDatabase, type TestDatabase } from '#tests/support/postgres.ts'

const PROFILES = fileURLToPath(new URL('../../devices/profiles', import.meta.url))
const INTERVAL_MS = 10_000
const clock = { now: () => Date.now() }

/** Of each interval of a tag what must never be left out. */
function mustStay(samples: readonly TagSample[]): Set<number> {
  const times = new Set<number>()
  const of = Map.groupBy(samples, ({ sourceAt }) => Math.floor(sourceAt / INTERVAL_MS))
  for (const own of of.values()) {
    const byValue = own.toSorted((a, b) => Number(a.value) - Number(b.value))
    for (const each of [byValue[0], byValue.at(-1), own.at(-1)]) if (each) times.add(each.sourceAt)
  }
  return times
}

describe('an outage longer than the disk of the edge', () => {
  const directory = mkdtempSync(join(tmpdir(), 'thinned-'))
  const written: TagSample[] = []
  let database: TestDatabase
  let org: string
  let pipeline: Pipeline
  let journal: Journal
  let uplink: Uplink | undefined

  beforeAll(async () => {
    database = await startTestDatabase()
    org = await database.newOrg()
    pipeline = await startPipeline({
      ...{ db: database.db, dataDir: directory, profilesDir: PROFILES, clock: Date.now, log: silentLog },
      mqtt: { host: '127.0.0.1', port: 0 },
    })
    await pipeline.registerEdge({ org, group: 'plant', edge: 'line-1', secretHash: await hashEdgeSecret('right') })
    const config = { commitSpacingMs: 0, ballastMb: 0, minFreeMb: 0, maxMb: 1, segmentMb: 1, thinSeconds: 10 }
    journal = openJournal({ directory: join(directory, 'journal'), config, clock, log: silentLog })
  })
  afterAll(async () => {
    await uplink?.close()
    await journal.close()
    await pipeline.close()
    await database.close()
    rmSync(directory, { recursive: true })
  })

  it('leaves in history the extremes and the last of each interval, and a gap over the rest', async () => {
    const tags = ['power', 'energy'].map((tag) => {
      return { id: journal.tagId('meter-1', tag, 'double'), device: 'meter-1', tag, type: 'double' as const }
    })
    const from = Date.now() - 3_600_000
    for (let i = 0; i < 300; i++) {
      const samples = Array.from({ length: 800 }, (_, k) => {
        return {
          tagId: tags[k % 2]!.id,
          sourceAt: from + i * 400 + (k >> 1),
          value: Math.random(),
          quality: 192,
        } as const
      })
      written.push(...samples)
      await journal.append(samples, 'backfill')
    }
    const { thinned, discarded } = journal.status().counters
    expect([thinned > 0, discarded]).toEqual([true, 0])

    const model: EdgeModel = {
      ...{ group: 'plant', edge: 'line-1', devices: [{ device: 'meter-1', profile: 'meter', tags }] },
      ...{ current: () => undefined, isAlive: () => true, onDeviceChange: () => () => undefined },
    }
    const access = { url: pipeline.mqtt.url, username: 'plant/line-1', password: 'right' }
    const rest = { keepAliveSeconds: 10, acknowledgement: 'required', backlogSamplesPerSecond: 500_000 } as const
    uplink = startUplink({ config: { ...access, ...rest }, model, journal, clock, log: silentLog })
    await expect.poll(() => journal.status().depth, { timeout: 60_000, interval: 50 }).toBe(0)

    const gaps = await pipeline.history.gaps({ org, limit: 1000 })
    expect(new Set(gaps.map(({ cause }) => cause))).toEqual(new Set(['thinned']))
    expect(gaps.reduce((sum, { count }) => sum + Number(count), 0)).toBe(thinned)

    let stored = 0
    for (const { id, tag } of tags) {
      const own = new Map(written.filter(({ tagId }) => tagId === id).map((each) => [each.sourceAt, each]))
      const read = await rawOf(`plant/line-1/meter-1/${tag}`, from)
      stored += read.size
      expect([...read].filter(([at, value]) => own.get(at)?.value !== value)).toEqual([])
      expect([...mustStay([...own.values()])].filter((at) => !read.has(at))).toEqual([])
    }
    expect(stored + thinned).toBe(written.length)
  })

  /** All stored samples of a tag by their time. */
  async function rawOf(path: string, from: number): Promise<Map<number, unknown>> {
    const read = new Map<number, unknown>()
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const span = { from, to: from + 3_600_000, limit: 10_000 }
      const page = await pipeline.history.raw({ path, ...span, ...(cursor !== undefined && { cursor }) })
      for (const [i, at] of page.at.entries()) read.set(at, page.value[i])
      cursor = page.nextCursor
    }
    return read
  }
})
