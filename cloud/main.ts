import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { isLoopback } from '#shared/contracts/loopback.ts'
import type { Log } from '#shared/log/log.ts'
import { type App, startApp } from './app.ts'
import type { CloudConfig } from './config.ts'
import { reachMachineSide } from './machine-side/reach.ts'
import { type MachineThread, startMachineThread, type ThreadOptions } from './machine-side/start-thread.ts'
import type { MqttPlace, Pipeline } from './pipeline/index.ts'
import { keepFormat } from './platform/data-format.ts'
import { connectionOf } from './platform/database/pools.ts'
import { type RunningDatabase, startDatabase } from './platform/database/start.ts'
import { DomainError } from './platform/errors.ts'
import { firstAdministrator } from './platform/identity/first-administrator.ts'
import { startPgBoss } from './platform/jobs/pg-boss.ts'
import { createMetrics, type Metrics } from './platform/metrics/registry.ts'
import { installationSecret } from './platform/secret.ts'
import { ROLE_NAMES } from './roles.ts'
import { suiteModules } from './suite/index.ts'
import { openTls } from './tls.ts'

/** The running cloud service. */
export interface Cloud {
  /** Where the console is; undefined for a process without the role web. */
  readonly url: string | undefined
  readonly mqttPort: number
  /** The one-time link with which the first administrator sets a password; undefined once there are accounts. */
  readonly firstAdministratorLink: string | undefined
  /**
   * Resolves with a sentence when the service cannot go on: its database or its machine side ended. State in memory may be
   * ahead of or behind the disk then, so the process is to be ended and started again; every start recovers from what was committed.
   */
  readonly failed: Promise<string>
  /** Stops taking work, finishes what runs, closes everything. Safe to call twice. */
  stop(): Promise<void>
}

/** What was opened by a start that failed is closed within this time; PostgreSQL ends with its parent anyway. */
const UNDO_WITHIN_MS = 8_000
/** A process that asks others starts after this time even when none answers. */
const REACH_WITHIN_MS = 3_000

/**
 * Starts PostgreSQL, migrates, then pipeline, modules and HTTP. Throws ConfigError or DatabaseRefusal; leaves nothing running.
 * Once the signal aborts, no further part is started and its reason is thrown.
 */
export async function startCloud(config: CloudConfig, log: Log, signal?: AbortSignal): Promise<Cloud> {
  const undo: (() => Promise<void>)[] = []
  try {
    return await assemble(config, log, {
      signal,
      opened: (close) => {
        undo.unshift(close)
        signal?.throwIfAborted()
      },
    })
  } catch (error) {
    await Promise.race([closeAll(undo, log), wait(UNDO_WITHIN_MS, undefined, { ref: false })])
    throw error
  }
}

async function closeAll(closers: readonly (() => Promise<void>)[], log: Log): Promise<void> {
  for (const close of closers) await close().catch((err) => log.debug({ err }, 'A part did not close'))
}

interface Start {
  readonly signal: AbortSignal | undefined
  /** Notes how a part is closed that has just been opened. Throws when the start is to end here. */
  opened(close: () => Promise<void>): void
}

async function assemble(config: CloudConfig, log: Log, start: Start): Promise<Cloud> {
  const { opened } = start
  const { dataDir } = config
  const metrics = createMetrics()
  keepFormat(dataDir)
  const secret = installationSecret(dataDir, config.secret)
  const database = await startDatabase({ dataDir, secret, url: config.databaseUrl, log })
  opened(database.close)
  const { db, address } = database
  const options = { config, db, address, secret, log, metrics, signal: start.signal }
  const { pipeline, failed } = await openPipeline(options, start)
  const people = await startPeopleSide({ config, secret, database, pipeline, metrics, log }, start)
  return running({ database, pipeline, failed, people, log })
}

/**
 * The machine side as this process asks it: its own thread, or, where others may be at work beside it, whoever has the edge in
 * question. A process without the role asks the others alone.
 */
async function openPipeline(options: ThreadOptions, { opened }: Start): Promise<MachineThread> {
  const { roles, databaseUrl } = options.config
  const own = roles.includes('pipeline') ? await startMachineThread(options) : undefined
  if (own) opened(() => own.pipeline.close())
  const asksOthers = !own || (databaseUrl !== undefined && (roles.includes('web') || roles.includes('worker')))
  if (own && !asksOthers) return own
  // The thread tells its own counts itself.
  const { metrics, ...others } = options
  const { pipeline, ready } = await reachMachineSide(own ? others : options)
  opened(() => pipeline.close())
  // What starts here may have something to ask at once.
  await Promise.race([ready, wait(REACH_WITHIN_MS, undefined, { ref: false })])
  if (!own) return { pipeline, failed: new Promise(() => undefined) }
  const close = async () => {
    await pipeline.close()
    await own.pipeline.close()
  }
  return { pipeline: { ...pipeline, mqtt: own.pipeline.mqtt, close }, failed: own.failed }
}

interface PeopleSideOptions {
  readonly config: CloudConfig
  readonly secret: string
  readonly database: RunningDatabase
  readonly pipeline: Pipeline
  readonly metrics: Metrics
  readonly log: Log
}

interface PeopleSide {
  readonly app: App
  /** Undefined for a process without the role web. */
  readonly url: string | undefined
  readonly link: string | undefined
}

/** The suite with its routes and its work, as far as the roles go; undefined for a process that is the machine side alone. */
async function startPeopleSide(options: PeopleSideOptions, { opened }: Start): Promise<PeopleSide | undefined> {
  const { config, secret, database, pipeline, metrics, log } = options
  const { roles, dataDir } = config
  const [isWeb, isWorker] = [roles.includes('web'), roles.includes('worker')]
  if (!isWeb && !isWorker) return undefined
  const { db, address } = database
  const clock = Date.now
  const { authority, certificate } = await openTls(config, clock, log)
  opened(async () => certificate.close())
  const engine = await startPgBoss(connectionOf(address, secret, 'andon_system'), log)
  let tlsPort = config.httpsPort
  const app = await startApp({
    ...{ db, engine, clock, log, metrics },
    modules: (platform) =>
      suiteModules({
        ...{
          ...platform,
          pipeline,
          authority,
          boxUrl: () => boxUrl(config, tlsPort),
          seed: isWeb ? config.seed : undefined,
        },
        latePageMinutes: config.latePageMinutes,
      }),
    values: pipeline.live,
    faults: () => pipeline.faults(),
    root: () => knownRoot(pipeline.mqtt),
    consoleDir: config.consoleDir,
    publicUrl: config.publicUrl,
    version: productVersion(),
    work: { isOurs: isWorker, isShared: roles.length < ROLE_NAMES.length },
  })
  opened(app.close)
  if (!isWeb) return { app, url: undefined, link: undefined }
  await app.listen({ host: config.host, port: config.httpPort })
  tlsPort = await app.listenTls({ host: config.bind, port: config.httpsPort, certificate })
  const url = app.publicUrl()
  writeFileSync(join(dataDir, 'url'), url)
  return { app, url, link: await firstAdministrator(db, clock()) }
}

/** How a box reaches the console: by its public address, else by this machine's name. */
function boxUrl({ publicUrl, bind }: CloudConfig, port: number): string {
  if (publicUrl?.startsWith('https:')) return publicUrl
  return `https://${isLoopback(bind) ? 'localhost' : hostname()}:${port}`
}

/** The root is the machine side's: another process knows it once it has reached it. */
function knownRoot({ port, root }: MqttPlace): string | undefined {
  if (port > 0) return root
  throw new DomainError('unavailable', 'pipeline.away', 'The machine side cannot be reached yet. Try again soon')
}

interface Parts {
  readonly database: RunningDatabase
  readonly pipeline: Pipeline
  /** Says why the machine side ended by itself. */
  readonly failed: Promise<string>
  readonly people: PeopleSide | undefined
  readonly log: Log
}

function running({ database, pipeline, people, log, ...parts }: Parts): Cloud {
  let stopping: Promise<void> | undefined
  const stop = async () => {
    for (const close of [async () => people?.app.close(), () => pipeline.close(), () => database.close()]) {
      await close().catch((err) => log.warn({ err }, 'A part did not stop cleanly; what was accepted is safe'))
    }
  }
  const databaseEnded = (database.server?.ended ?? new Promise<never>(() => {})).then(
    ({ code, signal }) => `PostgreSQL ended by itself (${signal ?? `exit code ${code}`})`,
  )
  return {
    url: people?.url,
    mqttPort: pipeline.mqtt.port,
    firstAdministratorLink: people?.link && `${people.url}/password-links/${people.link}`,
    failed: Promise.race([databaseEnded, parts.failed]),
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}

function productVersion(): string {
  const file = join(import.meta.dirname, '../package.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : '0'
}
