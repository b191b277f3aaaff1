import { silentLog } from '#shared/log/log.ts'
import type { Browsed, BrowseOptions } from './browse.ts'
import type { OpcuaConfig } from './config.ts'
import { createOpcuaDriver } from './driver.ts'
import { createWorkerProcess } from './worker-process.ts'

export const BROWSE_DEFAULTS: BrowseOptions = { from: 'ns=0;i=85', maxDepth: 12, maxTags: 5000 }

export interface DiscoverOptions {
  readonly config: OpcuaConfig
  /** The edge's directory: its certificate and what it trusts count here as well. */
  readonly dataDir: string
  readonly options: BrowseOptions
  readonly signal: AbortSignal
}

/** Browses a server over a connection and in a process of its own. Throws NotConnectedError, or WriteError when it refuses. */
export async function discover({ config, dataDir, options, signal }: DiscoverOptions): Promise<Browsed> {
  const worker = createWorkerProcess({ log: silentLog, dataDir })
  const driver = createOpcuaDriver({
    device: 'browse',
    config,
    dataDir,
    worker,
    now: Date.now,
    onOpen: () => undefined,
  })
  try {
    await driver.connect(signal)
    return (await driver.ask({ kind: 'browse', options }, signal)) as Browsed
  } finally {
    await driver.close()
    await worker.stop()
  }
}
