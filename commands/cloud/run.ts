import { type CloudArguments, readCloudConfig } from '#cloud/config.ts'
import { type Cloud, startCloud } from '#cloud/main.ts'
import { createLog, type Log } from '#shared/log/log.ts'

/** A stop that takes longer is cut short: what was accepted is on disk either way. */
const STOP_WITHIN_MS = 8_000
/** A signal to the whole process tree reaches PostgreSQL too, perhaps before us: its end is judged after this. */
const SIGNAL_MAY_FOLLOW_MS = 400
const WIND_DOWN_MS = 500

/** Runs the cloud service until it is told to stop. Resolves with the exit code: 0 stopped cleanly, 1 failed. */
export async function runCloud(args: CloudArguments): Promise<number> {
  const config = readCloudConfig(args)
  const log = createLog({ program: 'cloud', level: config.logLevel })
  const end = Promise.withResolvers<number>()
  let isEnding = false
  void end.promise.then(() => {
    isEnding = true
  })
  listenForTheEnd(log, end.resolve)
  for (const note of config.notes) log.warn(note)
  const started = performance.now()
  const starting = startCloud(config, log)
  // A start that failed has closed what it opened; nothing that still winds down may keep the process from telling so.
  starting.catch(() => setTimeout(() => process.exit(isEnding ? 0 : 1), WIND_DOWN_MS).unref())
  // Told to stop while starting: nothing is served yet, so the start is simply not waited for.
  const cloud = await Promise.race([starting, end.promise])
  if (typeof cloud === 'number') return leave(await starting.catch(() => undefined), cloud)
  log.info({ url: cloud.url, mqttPort: cloud.mqttPort, ms: Math.round(performance.now() - started) }, 'Cloud started')
  tell(cloud)
  void cloud.failed.then((reason) =>
    setTimeout(() => isEnding || fail(log, reason, end.resolve), SIGNAL_MAY_FOLLOW_MS).unref(),
  )
  return leave(cloud, await end.promise)
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

async function leave(cloud: Cloud | undefined, code: number): Promise<number> {
  // Without its database nothing can be finished, and memory may differ from the disk: ending at once is the safe way.
  if (code !== 0) process.exit(code)
  setTimeout(() => process.exit(code), STOP_WITHIN_MS).unref()
  await cloud?.stop()
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
  if (!process.send) process.stderr.write(`andon cloud: console ${url}\n`)
}
