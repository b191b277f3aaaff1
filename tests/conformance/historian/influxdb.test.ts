import { describe } from 'vitest'
import { hasPackage } from '#tests/support/debian.ts'
import { startInfluxDb } from '#tests/support/influxdb.ts'
import { historianContract } from './contract.ts'
import { externalBench } from './external.ts'

describe.skipIf(!hasPackage('influxdb'))('history in InfluxDB', () => {
  historianContract('InfluxDB 1', async () => externalBench(await startInfluxDb()), { text: true, wide: true })
})
