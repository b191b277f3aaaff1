import { describe, expect, it } from 'vitest'
import { bench } from '../bench/shards.ts'
import { hasPackage } from '../support/debian.ts'
import { mosquittoProgram } from '../support/mosquitto.ts'

const hasMosquitto = mosquittoProgram() !== undefined
if (!hasMosquitto) process.stdout.write('skipped: mosquitto is not installed (Debian package mosquitto)\n')

describe.runIf(hasPackage('victoria-metrics') && hasPackage('redis-server') && hasMosquitto)(
  'one of two machine sides that is killed',
  () => {
    it('is succeeded by the other, and no value is lost, doubled or changed', async () => {
      const said: string[] = []
      const result = await bench.run({ seconds: 6, say: (line) => said.push(line) })
      expect(result, said.join('\n')).toMatchObject({ lost: 0, duplicated: 0, wrong: 0, kills: 1 })
      expect(result.compared).toBeGreaterThan(1000)
      expect(result.takeoverMs).toBeLessThan(10_000)
      expect(result.stateMs).toBeLessThan(1000)
    }, 180_000)
  },
)
