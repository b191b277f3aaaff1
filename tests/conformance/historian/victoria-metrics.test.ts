import { describe, expect, it } from 'vitest'
import { hasPackage } from '#tests/support/debian.ts'
import { startVictoriaMetrics } from '#tests/support/victoria-metrics.ts'
import { historianContract } from './contract.ts'
import { externalBench } from './external.ts'
import { externalContract } from './external-contract.ts'

const DEDUP = '-dedup.minScrapeInterval=1ms'

describe.skipIf(!hasPackage('victoria-metrics'))('history in VictoriaMetrics', () => {
  const keeps = { text: false, wide: false }
  historianContract('VictoriaMetrics', async () => externalBench(await startVictoriaMetrics()), keeps)
  externalContract('VictoriaMetrics', async () =>
    externalBench(await startVictoriaMetrics([DEDUP, '-retentionPeriod=30d'])),
  )

  describe('a VictoriaMetrics that is set up otherwise', { timeout: 60_000 }, () => {
    it('is refused with the fix, and told when it fits', async () => {
      const bench = await externalBench(await startVictoriaMetrics([]))
      try {
        await expect(bench.open()).rejects.toThrow(
          /-dedup.minScrapeInterval is 0s; start VictoriaMetrics with -dedup.minScrapeInterval=1ms: without it a value that is sent again is stored twice/,
        )
        await bench.engine.kill()
        await bench.engine.start([DEDUP, '-influxSkipSingleField', '-retentionPeriod=2w'])
        await expect(bench.open()).rejects.toThrow('leave -influxSkipSingleField out')
        await bench.engine.kill()
        await bench.engine.start([DEDUP, '-retentionPeriod=2w'])
        const history = await bench.open()
        expect((await history.status()).engine).toEqual({
          ...{
            name: 'victoria-metrics',
            version: expect.any(String),
            isTested: true,
            keepsText: false,
            keepsWide: false,
          },
          ...{ significantDigits: 12, retentionMs: 14 * 86_400_000 },
        })
        await history.close()
      } finally {
        await bench.close()
      }
    })
  })
})
