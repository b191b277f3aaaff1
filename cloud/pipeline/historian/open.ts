import { join } from 'node:path'
import type { Database } from '#cloud/platform/database/database.ts'
import type { Log } from '#shared/log/log.ts'
import type { PipelineMetrics } from '../contract.ts'
import { openDuckDbHistorian } from './duckdb/client.ts'
import { gaugeHistory } from './gauges.ts'
import type { Historian } from './historian.ts'
import { openInfluxHistorian } from './influx/client.ts'
import type { TagLabels } from './influx/labels.ts'
import { type RetentionSettings, retentionOf } from './retention-classes.ts'

/** Where an external engine answers: the settings INFLUX_URL, INFLUX_TOKEN, INFLUX_ORG and INFLUX_BUCKET. */
export interface ExternalHistory {
  readonly url: string
  readonly token?: string | undefined
  readonly org?: string | undefined
  readonly bucket?: string | undefined
}

export interface HistoryOptions {
  /** Undefined keeps history in this process, in the folder `history` below `dataDir`. */
  readonly external: ExternalHistory | undefined
  readonly dataDir: string
  /** Of the embedded history; an external engine keeps what its own settings say. */
  readonly retention: RetentionSettings
  readonly db: Database
  readonly labelsOf: (key: number) => TagLabels | undefined
  /** ms since 1970 */
  readonly clock: () => number
  readonly log: Log
  readonly metrics: PipelineMetrics
}

const GAUGES_MS = 2000

/** Opens the history that the settings name. @throws EngineRefusal when an external engine is not fit for it. */
export async function openHistory({
  external,
  dataDir,
  metrics,
  retention,
  ...others
}: HistoryOptions): Promise<Historian> {
  if (external) return openInfluxHistorian({ ...external, ...others })
  const historian = await openDuckDbHistorian({
    dir: join(dataDir, 'history'),
    log: others.log,
    retention: retentionOf(retention),
  })
  const stop = gaugeHistory({ historian, metrics, clock: others.clock, everyMs: GAUGES_MS })
  return {
    ...historian,
    async close() {
      stop()
      await historian.close()
    },
  }
}
