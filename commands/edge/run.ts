import { join } from 'node:path'
import { loadEdgeConfig } from '#edge/config.ts'
import { type Edge, startEdge } from '#edge/main.ts'
import { createLog, type Log } from '#shared/log/log.ts'

/** After a failure nobody knows what still works: stopping cleanly is tried, for this long. */
const STOP_WITHIN_MS = 5000

/** Runs the edge agent until it is told to stop. Resolves with the exit code: 0 stopped cleanly, 1 failed. */
export async function runEdge(file: string): Promise<number> {
  const config = loadEdgeConfig(file)
  const log = createLog({ program: 'edge' })
  const end = Promise.withResolvers<number>()
  listenForTheEnd(log, end.resolve)
  const edge = await startEdge({ config, log, clock: { now: Date.now, monotonic: () => performance.now() } })
  tell(edge, config.data)
  const code = await end.promise
  await edge.stop()
  // An open channel to the parent would keep this process alive.
  if (process.connected) process.disconnect?.()
  return code
}

function listenForTheEnd(log: Log, end: (code: number) => void): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => end(0))
  // A supervisor that started this agent over IPC and is gone cannot stop it any more.
  process.on('disconnect', () => end(0))
  const fail = (error: unknown) => {
    log.fatal({ err: error }, 'Edge agent failed')
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref()
    end(1)
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
}

/** Tells where the local page is: to the parent process, to the person at the terminal, else where the token lies. */
function tell({ pageUrl, token }: Edge, dataDir: string): void {
  const withToken = `${pageUrl}?token=${token}`
  process.send?.({ type: 'ready', pageUrl: withToken })
  if (process.send) return
  const text = process.stdout.isTTY ? withToken : `${pageUrl} (token in ${join(dataDir, 'status-token')})`
  process.stderr.write(`andon edge: local page ${text}\n`)
}
