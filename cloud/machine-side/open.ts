import { hostname } from 'node:os'
import type { Kysely } from 'kysely'
import { ConfigError, type Fault } from '#shared/config/config-error.ts'
import type { Log } from '#shared/log/log.ts'
import type { CloudConfig } from '../config.ts'
import { HOST_ID } from '../pipeline/host/host.ts'
import { type Pipeline, startPipeline } from '../pipeline/index.ts'
import { divideEdges } from '../pipeline/lease/division.ts'
import { forgetMembers, join, type Member } from '../pipeline/lease/members.ts'
import { hostSpeaker } from '../pipeline/lease/speaker.ts'
import { fanValues } from '../pipeline/remote/fanned-values.ts'
import type { Meter } from '../pipeline/remote/meter.ts'
import { servePipeline } from '../pipeline/remote/serve.ts'
import { listenForChannels, type SocketAddress } from '../pipeline/remote/socket.ts'
import { type DatabaseAddress, openDatabase } from '../platform/database/pools.ts'
import { openFanOut } from '../platform/fanout/index.ts'
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
 * database that other processes reach it first joins those at work, to divide the edges. Throws ConfigError; leaves nothing open.
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
  const tls = await openTls(config, Date.now, log)
  opened(() => tls.certificate.close())
  const member = config.databaseUrl === undefined ? undefined : await joinOthers(options, opened)
  const settings = member && {
    'andon.fence': String(member.fence),
    idle_in_transaction_session_timeout: String(IDLE_TRANSACTION_MS),
  }
  // A pool of its own, so that no request that waits for a connection holds up a commit.
  const db = openDatabase({ address, secret, log, ...(settings ? { settings } : {}) })
  opened(() => db.close())
  const system = db.system as unknown as Kysely<never>
  if (!member) await forgetMembers(system)
  const { dataDir, profilesDir, retention, influx: externalHistory } = config
  const pipeline = await startPipeline({
    ...{
      db,
      dataDir,
      profilesDir,
      retention,
      externalHistory,
      mqtt: mqttOf(config, tls),
      clock: Date.now,
      log,
      metrics: meter,
    },
    ...(config.reorderMs === undefined ? {} : { limits: { reorderMs: config.reorderMs } }),
    member: member && {
      fence: member.fence,
      isValid: () => member.isValid(),
      division: divideEdges({ db: system, fence: member.fence, listen: db.listen, log }),
      speaker: hostSpeaker({ db: system, fence: member.fence, hostId: HOST_ID, listen: db.listen, log }),
    },
  })
  opened(() => pipeline.close())
  return member ? await letOthersAsk({ ...options, pipeline, member }, opened) : pipeline
}

async function joinOthers(
  { config, address, secret, log, onLost }: MachineSideOptions,
  opened: Opened,
): Promise<Member> {
  const own = openDatabase({ address, secret, log, size: 2 })
  opened(() => own.close())
  const refuse = (lacking: readonly string[], at: SocketAddress | null) => {
    throw new ConfigError(lacking.map((setting) => severalFault(setting, at)))
  }
  const db = own.system as unknown as Kysely<never>
  const member = await join({ db, log, onLost, lacks: lackingForSeveral(config), refuse })
  opened(() => member.leave())
  return member
}

/** Several processes can only work on what lies outside each of them. */
const lackingForSeveral = ({ mqttBroker, influx, redisUrl }: CloudConfig): string[] => [
  ...(mqttBroker ? [] : ['MQTT_URL']),
  ...(influx ? [] : ['INFLUX_URL']),
  ...(redisUrl ? [] : ['REDIS_URL']),
]

const severalFault = (setting: string, at: SocketAddress | null): Fault => ({
  file: 'environment',
  path: setting,
  expected: `an address in every process, because another one${at ? ` (${at.host}:${at.port})` : ''} is at work as the machine side of this database`,
  fix: `set ${setting} for both, and they divide the edges; or start this one without the role pipeline`,
})

/** Listens for processes that have other roles or other edges, and tells where: from now on it gets its share of the edges. */
async function letOthersAsk(
  { config, secret, log, meter, pipeline, member }: MachineSideOptions & { pipeline: Pipeline; member: Member },
  opened: Opened,
): Promise<Pipeline> {
  const fanOut = config.redisUrl === undefined ? undefined : await openFanOut(config.redisUrl, secret, log)
  opened(() => fanOut?.close())
  const fanned = fanOut && fanValues(pipeline.live, fanOut)
  const listening = await listenForChannels({
    ...{ host: config.bind, port: 0, secret },
    onChannel: (channel) => servePipeline(pipeline, channel, { meter, fanned }),
  })
  opened(() => listening.close())
  const isEvery = config.bind === '0.0.0.0' || config.bind === '::'
  await member.tell({ host: isEvery ? hostname() : config.bind, port: listening.address.port })
  opened(() => member.retire())
  return { ...pipeline, faults: async () => [...(await pipeline.faults()), fanOut?.fault() ?? []].flat() }
}

/** Plain MQTT stays on loopback; with TLS it listens where ANDON_BIND says, and takes edges by certificate. */
const mqttOf = (config: CloudConfig, { certificate, authority }: Tls) => ({
  ...{ host: config.host, port: config.mqttPort, limits: config.mqttLimits, external: config.mqttBroker },
  tls: {
    ...{ host: config.bind, port: config.mqttsPort, certificate, clientAuthority: authority.rootPem },
    ...(config.tls ? {} : { serverRoot: authority.rootPem }),
  },
})
