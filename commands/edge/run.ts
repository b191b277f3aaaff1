import { join } from 'node:path'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { type EdgeConfig, edgeEnvironment } from '#edge/config.ts'
import type { Edge } from '#edge/main.ts'
import { startAgent } from '#edge/management/agent.ts'
import { createLog, type Log } from '#shared/log/log.ts'
import { keepWatchdog } from './watchdog.ts'

/** Stopping cleanly is tried for this long: what was accepted is on disk either way. */
const STOP_WITHIN_MS = 8000

/** Runs the edge agent until it is told to stop. Resolves with the exit code: 0 stopped cleanly, 1 failed. */
export async function runEdge(file: string): Promise<number> {
  const log = createLog({ program: 'edge' })
  const end = Promise.withResolvers<number>()
  const fail = listenForTheEnd(log, end.resolve)
  // Samples die young, but while a plant's first values wait for the disk they do not, and V8 would conclude that all of
  // them are to be made in the old generation from then on: at 100,000 a second that is 300 MB and a third of all work.
  setFlagsFromString('--no-allocation-site-pretenuring')
  holdYoungGeneration(true)
  const clock = { now: Date.now, monotonic: () => performance.now() }
  const agent = await startAgent({ file, env: edgeEnvironment(), log, clock, onFailed: fail })
  boundYoungGeneration(countTags(agent.config))
  tell(agent.edge, agent.config.data)
  keepWatchdog(edgeEnvironment(), log)
  const code = await end.promise
  await agent.stop()
  // An open channel to the parent would keep this process alive.
  if (process.connected) process.disconnect?.()
  return code
}

/** From so many tags on, what waits for the disk is more than the smallest young generation holds. */
const MANY_TAGS = 20_000
/** Both halves of a young generation that is large enough for them. */
const ENOUGH_YOUNG_BYTES = 16 * 1024 * 1024

/**
 * The young generation would grow to 64 MB for garbage that a fraction of it holds as well: a box beside a machine is small.
 * With many tags the smallest one would be collected so often that samples still wait for the disk, and collecting would
 * cost a third of all work (`andon bench edge-modbus`): then it grows, and is held when it is large enough.
 */
function boundYoungGeneration(tags: number): void {
  if (tags < MANY_TAGS) return
  const isEnough = youngBytes() >= ENOUGH_YOUNG_BYTES
  holdYoungGeneration(isEnough)
  // It doubles at most at each collection, and V8 makes it smaller again while the plant stands still.
  setTimeout(boundYoungGeneration, isEnough ? 10_000 : 10, tags).unref()
}

const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.physical_space_size ?? Infinity

const holdYoungGeneration = (isHeld: boolean): void =>
  setFlagsFromString(`--semi-space-growth-factor=${isHeld ? 1 : 2}`)

const countTags = ({ devices, profiles }: EdgeConfig): number =>
  devices.reduce((sum, { profile }) => sum + (profiles.get(profile)?.tags.length ?? 0), 0)

function listenForTheEnd(log: Log, end: (code: number) => void): (error: unknown) => void {
  const endWith = (code: number) => {
    setTimeout(() => process.exit(code), STOP_WITHIN_MS).unref()
    end(code)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => endWith(0))
  // A supervisor that started this agent over IPC and is gone cannot stop it any more.
  process.on('disconnect', () => endWith(0))
  const fail = (error: unknown) => {
    log.fatal({ err: error }, 'Edge agent failed')
    endWith(1)
  }
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', fail)
  return fail
}

const certificateWords = (fingerprint: string) =>
  `ANDON_BIND opens the local page to the network, with a certificate of its own: the browser warns once, compare its SHA-256 ${fingerprint}`

/** Tells where the local page is: to the parent process, to the person at the terminal, else where the token lies. */
function tell({ pageUrl, pageFingerprint, token }: Edge, dataDir: string): void {
  const withToken = `${pageUrl}login#token=${token}`
  process.send?.({ type: 'ready', pageUrl: withToken, pageFingerprint })
  if (process.send) return
  if (pageFingerprint !== undefined) process.stderr.write(`andon edge: ${certificateWords(pageFingerprint)}\n`)
  // Whoever reads a log file may not be who may open the page.
  const text = process.stderr.isTTY ? withToken : `${pageUrl} (token in ${join(dataDir, 'status-token')})`
  process.stderr.write(`andon edge: local page ${text}\n`)
}
