import { describe } from 'vitest'
import { hasPackage } from '#tests/support/debian.ts'
import { startVictoriaMetrics } from '#tests/support/victoria-metrics.ts'
import { historianContract } from './contract.ts'
import { externalBench } from './external.ts'

describe.skipIf(!hasPackage('victoria-metrics'))('history in VictoriaMetrics', () => {
  historianContract('VictoriaMetrics', async () => externalBench(await startVictoriaMetrics()), {
    text: false,
    wide: false,
  })
})
