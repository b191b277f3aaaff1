import { hostname } from 'node:os'
import type { Kysely } from 'kysely'
import { ConfigError, type Fault } from '#shared/config/config-error.ts'
import type { Log } from '#shared/log/log.ts'
import type { CloudConfig } from '../config.ts'
import { type Pipeline, startPipeline } from '../pipeline/index.ts'
import { forgetLease, type Lease, takeLease } from '../pipeline/lease/lease.ts'
import type { Meter } from '../pipeline/remote/meter.ts'
import { servePipeline } from '../pipeline/remote/serve.ts'
import { listenForChannels, type SocketAddress } from '../pipeline/remote/socket.ts'
import { type DatabaseAddress, openDatabase } from '../platform/database/pools.ts'
import { ROLE_NAMES } from '../roles.ts'
import { openTls, type Tls } from '../tls.ts'

export interface MachineSideOptions {
  readonly config: CloudConfig
  readonly address: DatabaseAddress
  /** The installation's secret. */
  readonly secret: string
  readonly log: Log
  readonly meter: Meter
  /** Called when another process has taken over: this one must end. */
  readonly onLost: () => void
}

/** A transaction whose process stands still is ended by PostgreSQL after this time, so that another one can take over. */
const IDLE_TRANSACTION_MS = 2500

type Opened = (close: () => Promise<void> | void) => void

/**
 * Starts the pipeline as the configuration says, with its connections to PostgreSQL and the certificate of its TLS port. On a
 * database that other processes reach it first takes, or waits for, the lease. Throws ConfigError; leaves nothing open.
 */
export async function openMachineSide(options: MachineSideOptions): Promise<Pipeline> {
  const closers: (() => Promise<void> | void)[] = []
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    const pipeline = await assemble(options, (close) => closers.push(close))
    return { ...pipeline, close: closeAll }
  } catch (error) {
    await closeAll()
    throw error
  }
}

async function assemble(options: MachineSideOptions, opened: Opened): Promise<Pipeline> {
  const { config, address, secret, log, meter } = options
  // Before the lease: whoever waits for it shall be quick when it comes.
  const tls = await openTls(config, Date.now, log)
  opened(() => tls.certificate.close())
  const lease = config.databaseUrl === undefined ? undefined : await openLease(options, opened)
  const settings = lease && {
    'andon.fence': String(lease.fence),
    idle_in_transaction_session_timeout: String(IDLE_TRANSACTION_MS),
  }
  // A pool of its own, so that no request that waits for a connection holds up a commit.
  const db = openDatabase({ address, secret, log, ...(settings ? { settings } : {}) })
  opened(() => db.close())
  if (!lease) await forgetLease(db.system as unknown as Kysely<never>)
  const { dataDir, profilesDir, influx: externalHistory } = config
  const pipeline = await startPipeline({
    ...{ db, dataDir, profilesDir, externalHistory, mqtt: mqttOf(config, tls), clock: Date.now, log, metrics: meter },
    ...(config.reorderMs === undefined ? {} : { limits: { reorderMs: config.reorderMs } }),
    ...(lease ? { isOwner: () => lease.isValid() } : {}),
  })
  opened(() => pipeline.close())
  if (lease) await letOthersAsk({ ...options, pipeline, lease }, opened)
  return pipeline
}

async function openLease({ config, address, secret, log, onLost }: MachineSideOptions, opened: Opened): Promise<Lease> {
  const own = openDatabase({ address, secret, log, size: 2 })
  opened(() => own.close())
  const missing = missingForSeveral(config)
  const refuse = (at: SocketAddress | null) => {
    throw new ConfigError(missing.map((setting) => severalFault(setting, at)))
  }
  const db = own.system as unknown as Kysely<never>
  const lease = await takeLease({ db, log, onLost, refuse: missing.length > 0 ? refuse : undefined })
  opened(() => lease.release())
  return lease
}

/** A second process can only take over what lies outside the first one. */
const missingForSeveral = ({ mqttBroker, influx }: CloudConfig): string[] => [
  ...(mqttBroker ? [] : ['MQTT_URL']),
  ...(influx ? [] : ['INFLUX_URL']),
]

const severalFault = (setting: string, at: SocketAddress | null): Fault => ({
  file: 'environment',
  path: setting,
  expected: `an address, because another process${at ? ` (${at.host}:${at.port})` : ''} is the machine side of this database`,
  fix: `set ${setting} for both, and this one takes over when the other ends; or start it without the role pipeline`,
})

/** Listens for processes that have other roles, and tells where. */
async function letOthersAsk(
  { config, secret, meter, pipeline, lease }: MachineSideOptions & { pipeline: Pipeline; lease: Lease },
  opened: Opened,
): Promise<void> {
  if (config.roles.length === ROLE_NAMES.length) return
  const listening = await listenForChannels({
    ...{ host: config.bind, port: 0, secret },
    onChannel: (channel) => servePipeline(pipeline, channel, { meter }),
  })
  opened(() => listening.close())
  const isEvery = config.bind === '0.0.0.0' || config.bind === '::'
  await lease.tell({ host: isEvery ? hostname() : config.bind, port: listening.address.port })
}

/** Plain MQTT stays on loopback; with TLS it listens where ANDON_BIND says, and takes edges by certificate. */
const mqttOf = (config: CloudConfig, { certificate, authority }: Tls) => ({
  ...{ host: config.host, port: config.mqttPort, limits: config.mqttLimits, external: config.mqttBroker },
  tls: {
    ...{ host: config.bind, port: config.mqttsPort, certificate, clientAuthority: authority.rootPem },
    ...(config.tls ? {} : { serverRoot: authority.rootPem }),
  },
})
