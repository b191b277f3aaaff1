import { describe, expect, it } from 'vitest'
import { BatchBuilder } from '#cloud/pipeline/historian/batch.ts'
import { BAD, GOOD } from '#shared/contracts/sample.ts'
import { hasPackage } from '#tests/support/debian.ts'
import { startInfluxDb } from '#tests/support/influxdb.ts'
import { historianContract } from './contract.ts'
import { externalBench } from './external.ts'
import { externalContract } from './external-contract.ts'

async function keepsThirtyDays() {
  const engine = await startInfluxDb()
  await engine.query('ALTER RETENTION POLICY "autogen" ON "andon" DURATION 30d')
  return externalBench(engine)
}

describe.skipIf(!hasPackage('influxdb'))('history in InfluxDB', () => {
  historianContract('InfluxDB 1', async () => externalBench(await startInfluxDb()), { text: true, wide: true })
  externalContract('InfluxDB 1', keepsThirtyDays)

  describe('buckets of very many values', { timeout: 60_000 }, () => {
    it('keep every extreme, at a time within its bucket', async () => {
      const bench = await externalBench(await startInfluxDb())
      try {
        const history = await bench.open()
        const [from, count] = [Date.UTC(2026, 0, 5), 200_001]
        const builder = new BatchBuilder()
        for (let i = 0; i < count; i++) builder.add(1, from + i, i % 1000 === 500 ? i : -1, GOOD)
        builder.add(1, from + count, null, BAD)
        await history.commit(builder.take())
        const found = await history.buckets({ tags: [1], from, to: from + count + 1, widthMs: 100_000 })
        expect([...found.max]).toEqual([99_500, 199_500, -1])
        expect([...found.numbers]).toEqual([100_000, 100_000, 1])
        expect([...found.quality]).toEqual([GOOD, GOOD, BAD])
        found.maxAt.forEach((at, i) => {
          expect(Math.floor((at - from) / 100_000)).toBe(i)
          expect(at).toBeLessThanOrEqual(found.lastAt[i] ?? 0)
        })
        await history.close()
      } finally {
        await bench.close()
      }
    })
  })

  describe('an InfluxDB without the database', { timeout: 60_000 }, () => {
    it('is refused with the fix, and told when it fits', async () => {
      const engine = await startInfluxDb()
      const bench = await externalBench(engine)
      try {
        await expect(bench.open({ bucket: 'plant' })).rejects.toThrow(
          /has no database plant; make it with CREATE DATABASE "plant", or correct INFLUX_BUCKET/,
        )
        await engine.query('CREATE DATABASE "plant" WITH DURATION 14d NAME "short"')
        await expect(bench.open({ bucket: 'plant/long' })).rejects.toThrow('has no retention policy long on plant')
        const history = await bench.open({ bucket: 'plant/short' })
        expect((await history.status()).engine).toEqual({
          ...{ name: 'influxdb-1', version: expect.stringMatching(/^1\./), isTested: true, keepsText: true },
          ...{ keepsWide: true, significantDigits: 17, retentionMs: 14 * 86_400_000 },
        })
        await history.close()
      } finally {
        await bench.close()
      }
    })
  })
})
