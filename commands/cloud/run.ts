import { flushCompileCache } from 'node:module'
import { setTimeout as wait } from 'node:timers/promises'
import { type CloudArguments, readCloudConfig } from '#cloud/config.ts'
import { type Cloud, startCloud } from '#cloud/main.ts'
import { createLog, type Log } from '#shared/log/log.ts'

/** A stop that takes longer is cut short: what was accepted is on disk either way. */
const STOP_WITHIN_MS = 8_000
/** A signal to the whole process tree reaches PostgreSQL too, perhaps before us: its end is judged after this. */
const SIGNAL_MAY_FOLLOW_MS = 400
const WIND_DOWN_MS = 500

/** Runs the cloud service until it is told to stop, also while it starts. Resolves with the exit code: 0 stopped cleanly, 1 failed. */
export async function runCloud(args: CloudArguments): Promise<number> {
  const config = readCloudConfig(args)
  const log = createLog({ program: 'cloud', level: config.logLevel })
  const end = untilToldToEnd(log)
  for (const note of config.notes) log.warn(note)
  const started = performance.now()
  const cloud = await untilStarted(startCloud(config, log, end.signal), end.signal)
  if (!cloud) return 0
  log.info({ url: cloud.url, mqttPort: cloud.mqttPort, ms: Math.round(performance.now() - started) }, 'Cloud started')
  tell(cloud)
  // Node writes compiled code as a process ends in order; one that is killed would compile all of it again when it must be quick.
  flushCompileCache()
  void cloud.failed.then((reason) =>
    setTimeout(() => end.signal.aborted || fail(log, reason, end.resolve), SIGNAL_MAY_FOLLOW_MS),
  )
  return leave(cloud, await end.code)
}

interface End {
  /** Resolves with the exit code. */
  readonly code: Promise<number>
  /** Aborts at the same moment. */
  readonly signal: AbortSignal
  resolve(code: number): void
}

/** Waits for a signal. From then on the process has a bounded time, whatever its parts do. */
function untilToldToEnd(log: Log): End {
  const { promise, resolve } = Promise.withResolvers<number>()
  const control = new AbortController()
  const end = (code: number) => {
    if (control.signal.aborted) return
    setTimeout(() => process.exit(code), STOP_WITHIN_MS).unref()
    control.abort()
    resolve(code)
  }
  listenForTheEnd(log, end)
  return { code: promise, signal: control.signal, resolve: end }
}

/** Resolves with undefined when the service was told to stop before it stood. Rejects when it cannot start. */
async function untilStarted(starting: Promise<Cloud>, signal: AbortSignal): Promise<Cloud | undefined> {
  try {
    return await starting
  } catch (error) {
    // Ctrl-C ends what a start is waiting for, such as the making of the database, perhaps before it is heard of here.
    await wait(SIGNAL_MAY_FOLLOW_MS)
    // The start has closed what it opened; nothing that still winds down may keep the process.
    setTimeout(() => process.exit(signal.aborted ? 0 : 1), WIND_DOWN_MS).unref()
    if (!signal.aborted) throw error
    if (process.connected) process.disconnect?.()
    return undefined
  }
}

function listenForTheEnd(log: Log, end: (code: number) => void): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => end(0))
  // A supervisor that started this process over IPC and is gone cannot stop it any more.
  process.on('disconnect', () => end(0))
  const crash = (err: unknown) => {
    log.fatal({ err }, 'Cloud failed')
    process.exit(1)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
}

function fail(log: Log, reason: string, end: (code: number) => void): void {
  log.error({ reason }, 'Cloud cannot go on and ends; its next start recovers everything that was committed')
  end(1)
}

async function leave(cloud: Cloud, code: number): Promise<number> {
  // Without its database nothing can be finished, and memory may differ from the disk: ending at once is the safe way.
  if (code !== 0) process.exit(code)
  await cloud.stop()
  // An open channel to the parent would keep this process alive.
  if (process.connected) process.disconnect?.()
  return code
}

function tell({ url, mqttPort, firstAdministratorLink }: Cloud): void {
  process.send?.({ type: 'ready', url, mqttPort })
  if (firstAdministratorLink) {
    process.stderr.write(
      `andon cloud: set the first administrator's password (user admin): ${firstAdministratorLink}\n`,
    )
  }
  if (!process.send && url) process.stderr.write(`andon cloud: console ${url}\n`)
}
