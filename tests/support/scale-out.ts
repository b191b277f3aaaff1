import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CloudConfig, readCloudConfig } from '#cloud/config.ts'
import { openMachineSide } from '#cloud/machine-side/open.ts'
import { reachMachineSide } from '#cloud/machine-side/reach.ts'
import type { Pipeline } from '#cloud/pipeline/index.ts'
import { createMeter } from '#cloud/pipeline/remote/meter.ts'
import { silentLog } from '#shared/log/log.ts'
import { hasPackage } from './debian.ts'
import { type Mosquitto, mosquittoProgram, startMosquitto } from './mosquitto.ts'
import { startTestDatabase, TEST_SECRET, type TestDatabase } from './postgres.ts'
import { startRedis, type TestRedis } from './redis.ts'
import { startVictoriaMetrics, type TestEngine } from './victoria-metrics.ts'

/** The engines of the scale-out column, with as many machine sides on them as a test wants, all in its own process. */
export interface ScaleOut {
  readonly database: TestDatabase
  readonly broker: Mosquitto
  readonly engine: TestEngine
  readonly redis: TestRedis
  readonly org: string
  /** Machine sides at work; whoever takes one out closes it. */
  readonly sides: Pipeline[]
  begin(): Promise<Pipeline>
  /** All machine sides as a process with other roles asks them. */
  reach(): Promise<Pipeline>
  close(): Promise<void>
}

/** True when Debian's mosquitto, victoria-metrics and redis-server are there; says which are not. */
export const canScaleOut = (): boolean =>
  [hasPackage('victoria-metrics'), hasPackage('redis-server'), mosquittoProgram() !== undefined].every(Boolean)

/** Starts the engines and an organisation. */
export async function startScaleOut(): Promise<ScaleOut> {
  const [database, broker, engine, redis] = await Promise.all([
    startTestDatabase(),
    startMosquitto(),
    startVictoriaMetrics(),
    startRedis(),
  ])
  const dir = mkdtempSync(join(tmpdir(), 'andon-scale-out-'))
  const sides: Pipeline[] = []
  const asking: Pipeline[] = []
  const configOf = (name: string): CloudConfig => {
    const env = {
      ...{ ANDON_DATA: join(dir, name), DATABASE_URL: 'postgresql://shared', ANDON_MQTT_PORT: '0' },
      ...{ MQTT_URL: `mqtt://127.0.0.1:${broker.port}`, INFLUX_URL: engine.url, REDIS_URL: redis.url },
    }
    return readCloudConfig({}, env)
  }
  const { address, db } = database
  const common = { secret: TEST_SECRET, log: silentLog }
  return {
    ...{ database, broker, engine, redis, sides },
    org: await database.newOrg(),
    async begin() {
      const config = configOf(String(sides.length))
      const meter = createMeter()
      const side = await openMachineSide({ ...common, config, address, meter, onLost: () => undefined })
      sides.push(side)
      return side
    },
    async reach() {
      const { pipeline, ready } = await reachMachineSide({ ...common, config: configOf('people'), db })
      asking.push(pipeline)
      await ready
      return pipeline
    },
    async close() {
      for (const one of [...asking, ...sides]) await one.close()
      await Promise.all([database.close(), broker.close(), engine.close(), redis.close()])
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
