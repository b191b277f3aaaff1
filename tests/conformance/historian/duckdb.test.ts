import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDuckDbHistorian } from '#cloud/pipeline/historian/duckdb/client.ts'
import { silentLog } from '#shared/log/log.ts'
import { historianContract } from './contract.ts'

async function start() {
  const dir = mkdtempSync(join(tmpdir(), 'andon-contract-'))
  return {
    open: () => openDuckDbHistorian({ dir, log: silentLog }),
    close: async () => rmSync(dir, { recursive: true }),
  }
}

historianContract('the embedded store', start, { text: true, wide: true })
