import type { Connection } from './connection.ts'
import { type Engine, EngineRefusal } from './engine.ts'
import { openInfluxDb } from './influxdb/engine.ts'
import { openVictoriaMetrics } from './victoria-metrics/engine.ts'

export interface DetectOptions {
  readonly connection: Connection
  readonly org: string
  readonly bucket: string
  /** ms since 1970 */
  readonly now: () => number
}

/**
 * Finds out what answers at the address and opens it.
 * @throws EngineRefusal when nothing answers, when it is something else, or when it would lose values as it is set up.
 */
export async function detectEngine({ connection, org, bucket, now }: DetectOptions): Promise<Engine> {
  const { address } = connection
  const look = (path: string) =>
    connection.look(path).catch((error: Error) => {
      const why = (error.cause as Error | undefined)?.message || error.message
      throw new EngineRefusal(`Nothing answers at ${address} (${why}); start the server or correct INFLUX_URL`, {
        cause: error,
      })
    })
  // VictoriaMetrics answers /ping as InfluxDB 1.8 would, so it is asked first for what only it has.
  const build = await look('/api/v1/status/buildinfo')
  if (build.status === 200 && build.text.includes('"success"')) return openVictoriaMetrics(connection, now)
  const ping = await look('/ping')
  if (ping.version !== '') return openInfluxDb({ connection, version: ping.version.replace(/^v/, ''), org, bucket })
  throw new EngineRefusal(
    `What answers at ${address} is neither InfluxDB nor VictoriaMetrics (status ${ping.status} for /ping); correct INFLUX_URL or INFLUX_TOKEN`,
  )
}
