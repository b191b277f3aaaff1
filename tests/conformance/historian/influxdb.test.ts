import { describe, expect, it } from 'vitest'
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
