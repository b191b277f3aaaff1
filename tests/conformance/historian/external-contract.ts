import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchBuilder } from '#cloud/pipeline/historian/batch.ts'
import type { Historian } from '#cloud/pipeline/historian/historian.ts'
import { labelOf, type TagLabels } from '#cloud/pipeline/historian/influx/labels.ts'
import { join } from '#cloud/pipeline/lease/members.ts'
import { openDatabase } from '#cloud/platform/database/pools.ts'
import { GOOD } from '#shared/contracts/sample.ts'
import { silentLog } from '#shared/log/log.ts'
import { TEST_SECRET } from '#tests/support/postgres.ts'
import { GROUP } from './contract.ts'
import type { ExternalBench } from './external.ts'

const AT = Date.UTC(2026, 0, 5)
const HOUR_MS = 3_600_000
const JOURNAL = { group: GROUP, edge: 'line 1', epoch: 9n }

/** What is promised of external history alone. `start` runs an engine that keeps values for 30 days. */
export function externalContract(name: string, start: () => Promise<ExternalBench>): void {
  describe(`${name} as an external engine`, { timeout: 60_000 }, () => {
    let bench: ExternalBench
    let history: Historian
    const names = new Map<number, TagLabels>()

    beforeAll(async () => {
      bench = await start()
      history = await bench.open({ labelsOf: (key) => names.get(key) })
    }, 60_000)
    afterAll(async () => {
      await history?.close()
      await bench?.close()
    })

    it('gives every tag its own series, whatever its name', async () => {
      const special = fc.constantFrom('\\', ',', '=', ' ', '"', "'", '\n', '#', '{', '|', '.', '温', '\u0000', '%')
      const odd = fc.array(fc.oneof(special, fc.string({ unit: 'grapheme', maxLength: 3 })), { maxLength: 6 })
      const word = odd.map((parts) => parts.join(''))
      const label = fc.record({ group: fc.constant(GROUP), edge: word, device: word, tag: word })
      const id = (labels: TagLabels) => JSON.stringify(Object.values(labels).map(labelOf))
      const several = fc.uniqueArray(label, { selector: id, minLength: 50, maxLength: 50, size: 'max' })
      await fc.assert(
        fc.asyncProperty(several, async (all) => {
          const [first, now] = [names.size + 1, Date.now()]
          const builder = new BatchBuilder()
          all.forEach((labels, i) => {
            names.set(first + i, labels)
            builder.add(first + i, now, i, GOOD)
          })
          await history.commit(builder.take())
          const keys = all.map((_, i) => first + i)
          const found = await history.last(keys)
          expect(new Map(found.map(({ tag, value }) => [tag, value]))).toEqual(new Map(keys.map((key, i) => [key, i])))
          const buckets = await history.buckets({ tags: keys, from: now, to: now + 1, widthMs: 1 })
          expect([...buckets.first]).toEqual(all.map((_, i) => i))
        }),
        { numRuns: 3, endOnFailure: true },
      )
    })

    it('records what lies before its retention, and says so', async () => {
      names.set(1001, { ...JOURNAL, device: 'press', tag: 'old' })
      const now = Date.now()
      const builder = new BatchBuilder()
      const old = [now - 40 * 24 * HOUR_MS, now - 31 * 24 * HOUR_MS]
      for (const at of [...old, now - 29 * 24 * HOUR_MS, now]) builder.add(1001, at, 1, GOOD)
      builder.addRange(JOURNAL, 1n, 4n)
      await history.commit(builder.take())
      expect((await history.raw({ tag: 1001, from: AT, to: now + 1, limit: 10, skip: 0 })).at).toHaveLength(2)
      expect(await history.deletions()).toMatchObject([{ level: 'raw', rows: 2, firstAt: old[0], lastAt: old[1] }])
      expect(history.faults()).toEqual([
        expect.stringMatching(/^2 values of the edge works\/line 1 are older than the 30 /),
      ])
      expect(await history.marks()).toEqual([{ ...JOURNAL, ranges: '1-4' }])
    })

    it('confirms nothing to a process that has been succeeded', async () => {
      names.set(1002, { ...JOURNAL, device: 'press', tag: 'leased' })
      const db = bench.database.db.system as unknown as Kysely<never>
      const refuse = () => {
        throw new Error('nobody lacks anything')
      }
      const member = await join({ db, log: silentLog, onLost: () => undefined, lacks: [], refuse })
      const settings = { 'andon.fence': String(member.fence) }
      const { address } = bench.database
      const own = openDatabase({ address, secret: TEST_SECRET, log: silentLog, size: 2, settings })
      const late = await bench.open({ db: own, labelsOf: (key) => names.get(key) })
      const commit = (offset: bigint) => {
        const builder = new BatchBuilder()
        builder.add(1002, Date.now(), 1, GOOD)
        builder.addRange(JOURNAL, offset, offset)
        return late.commit(builder.take())
      }
      await commit(5n)
      expect(await history.marks()).toEqual([{ ...JOURNAL, ranges: '1-5' }])
      await sql`delete from pipeline_members where fence = ${member.fence}`.execute(db)
      await expect(commit(6n)).rejects.toMatchObject({ cause: { code: 'AN001' } })
      expect(await history.marks()).toEqual([{ ...JOURNAL, ranges: '1-5' }])
      await late.close()
      await own.close()
      await member.leave()
    })

    it('refuses values of a tag that has no name', async () => {
      const builder = new BatchBuilder()
      builder.add(9999, Date.now(), 1, GOOD)
      await expect(history.commit(builder.take())).rejects.toThrow('tag 9999, which has no name')
    })

    it('says at the start when nothing answers', async () => {
      await expect(bench.open({ url: 'http://127.0.0.1:1' })).rejects.toThrow(
        /^Nothing answers at http:\/\/127.0.0.1:1 \(.+\); start the server or correct INFLUX_URL$/,
      )
    })
  })
}
