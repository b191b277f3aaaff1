import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import type { DeviceProfile, ProfileTag } from '#shared/contracts/device-profile.ts'
import type { EdgeReport } from '#shared/contracts/edge-report.ts'
import type { GapRecord } from '#shared/contracts/gap.ts'
import { isLoopback } from '#shared/contracts/loopback.ts'
import type { Log } from '#shared/log/log.ts'
import { probe } from '#shared/reach/probe.ts'
import {
  type AcquiredDevice,
  type Acquisition,
  type AcquisitionClock,
  startAcquisition,
} from './acquisition/acquisition.ts'
import { createModel, type WritableModel } from './acquisition/model.ts'
import { publishedType } from './acquisition/publish.ts'
import type { EdgeConfig, EdgeDeviceConfig } from './config.ts'
import type { Protocol } from './drivers/driver.ts'
import { PROTOCOLS } from './drivers/registry.ts'
import { type Clock, type Journal, openJournal } from './journal/index.ts'
import { reportOf } from './management/report.ts'
import type { Health } from './management/trial.ts'
import type { EdgeDevice, EdgeTag, TagSample } from './model.ts'
import { listGaps } from './status/gap-list.ts'
import { keepPageCertificate, pageNames } from './status/page-certificate.ts'
import { startStatusServer } from './status/server.ts'
import { type AgentParts, statusSources } from './status/sources.ts'
import { type StartCheck, startCheck } from './status/start-check.ts'
import { keepToken } from './status/token.ts'
import {
  type CommandOutcome,
  type ConfigurationAsk,
  type EdgeCommand,
  type NodeFacts,
  type Redial,
  type RunningConfiguration,
  startUplink,
  type Uplink,
} from './uplink/index.ts'
import { createWriteDesk, openLedger, type WriteDesk } from './writes/index.ts'

export interface EdgeOptions {
  readonly config: EdgeConfig
  readonly clock: AcquisitionClock & Pick<Clock, 'earliest'>
  readonly log: Log
  /** Looks after the configuration; without it the cloud's are refused. */
  readonly management?: Management | undefined
}

/** What stands above the agent: it may be started again with another configuration. */
export interface Management {
  onConfigure(ask: ConfigurationAsk): Promise<CommandOutcome>
  running(): RunningConfiguration
  facts(): Pick<EdgeReport, 'configuration' | 'certificate'>
  /** Grows when the facts hold news that cannot wait. */
  news(): number
  /** Called after the first births of each connection. */
  onLinked(): void
  /** Reaches the broker when dates of certificates do not fit the machine's clock. */
  readonly redial?: Redial
  /** What is added to the machine's clock because it is known to be wrong, in ms. */
  clockOffsetMs?(): number
}

/** The edge agent at work. */
export interface Edge {
  /** Address of the local page, without its token. */
  readonly pageUrl: string
  /** SHA-256 of the page's certificate; undefined on loopback, where it has none. */
  readonly pageFingerprint: string | undefined
  readonly token: string
  /** How it does, as far as its configuration is answerable. */
  health(): Health
  /** Stops reading, tells the cloud (NDEATH), commits and closes the journal. Safe to call twice. */
  stop(): Promise<void>
}

/**
 * Starts the whole agent: journal → uplink → acquisition → local page. Throws when the journal cannot be opened or the
 * page's port cannot be used; whatever was started until then is stopped again.
 */
export async function startEdge({ config, clock, log, management }: EdgeOptions): Promise<Edge> {
  const startedAt = clock.now()
  const stack = new AsyncDisposableStack()
  try {
    const journal = openJournal({ directory: join(config.data, 'journal'), config: config.journal, clock, log })
    stack.defer(() => journal.close())
    const model = createModel({ group: config.group, edge: config.edge, devices: devicesOf(config, journal) })
    const protocols = startProtocols({ config, clock, log })
    stack.defer(async () => void (await Promise.all([...protocols.values()].map((protocol) => protocol.close()))))
    const devices = connectable(config, model, protocols)
    const desk = writeDesk({ config, clock, log }, devices)
    stack.defer(() => desk.close())
    const told: Told = { config, clock, startedAt, journal }
    const onCommand = async (command: EdgeCommand): Promise<CommandOutcome> => {
      if (management && command.configuration) return management.onConfigure(command.configuration)
      if (command.alarmCommand === undefined) return desk.carryOut(command)
      return told.acquisition?.act(command.alarmCommand) ?? STARTING
    }
    const facts = management && factsOf(management, told)
    const link = { config: config.mqtt, redial: management?.redial }
    const uplink = startUplink({ ...link, model, journal, clock, log, onCommand, facts })
    stack.defer(() => uplink.close())
    const acquisition = acquire({ config, clock, log }, { model, journal, devices })
    stack.defer(() => acquisition.stop())
    Object.assign(told, { uplink, acquisition, protocols })
    const reach = checkAddresses({ config, clock, log }, { uplink, acquisition })
    stack.defer(() => reach.stop())
    const gaps = listGaps(journal)
    stack.defer(() => gaps.stop())
    const token = keepToken(join(config.data, 'status-token'))
    const drivers = new Map(devices.map(({ device, driver }) => [device.device, driver]))
    const running = { model, journal, gaps, uplink, acquisition, protocols, drivers, reach, desk }
    const page = await servePage({ ...told, ...running, ...ownFacts(management) }, token)
    stack.defer(() => page.close())
    log.info({ devices: config.devices.length, tags: countTags(model), page: page.url }, 'Edge agent runs')
    const { url: pageUrl, fingerprint: pageFingerprint } = page
    return { pageUrl, pageFingerprint, token, health: () => healthOf(model, uplink), stop: stopOnce(stack, log) }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

const STARTING: CommandOutcome = { status: 'refused', error: 'The edge is only just starting. Send it again.' }

/** What a report is made of; the later parts are not there yet when the uplink starts. */
interface Told {
  readonly config: EdgeConfig
  readonly clock: AcquisitionClock
  readonly startedAt: number
  readonly journal: Journal
  readonly uplink?: Uplink
  readonly acquisition?: Acquisition
  readonly protocols?: ReadonlyMap<string, Protocol>
}

function factsOf(management: Management, told: Told): NodeFacts {
  return {
    configuration: () => management.running(),
    report: () => JSON.stringify(reported(management, told)),
    news: () => management.news(),
    onLinked: () => management.onLinked(),
  }
}

/** Null until the parts are there. */
function reported(management: Management, told: Told): EdgeReport | null {
  const { config, clock, startedAt, journal, uplink, acquisition, protocols } = told
  if (!uplink) return null
  return reportOf({
    ...{ now: clock.now(), startedAt, journal: journal.status(), uplink: uplink.status() },
    management: management.facts(),
    devices: acquisition?.status() ?? [],
    lanes: [...(protocols?.values() ?? [])].flatMap((protocol) => protocol.lanes()),
    journalMaxBytes: config.journal.maxMb * 1_048_576,
  })
}

function healthOf(model: WritableModel, uplink: Uplink): Health {
  const configured = model.devices.map(({ device }) => device)
  const alive = configured.filter((device) => model.isAlive(device))
  return { isConnected: uplink.status().state === 'connected', alive, configured }
}

function stopOnce(stack: AsyncDisposableStack, log: Log): () => Promise<void> {
  let stopped: Promise<void> | undefined
  return () => {
    stopped ??= stack.disposeAsync().then(() => log.info('Edge agent stopped'))
    return stopped
  }
}

interface Parts {
  readonly model: WritableModel
  readonly journal: Journal
  readonly protocols: ReadonlyMap<string, Protocol>
}

/** Every device of the configuration with its tags, numbered by the journal. */
function devicesOf(config: EdgeConfig, journal: Journal): EdgeDevice[] {
  const unitsOf = sharedUnits()
  return config.devices.map(({ device, profile: key }) => {
    const profile = profileOf(config, key)
    const tags = profile.tags.map((tag) => tagOf(journal, device, tag))
    return { device, profile: key, tags, units: unitsOf(profile) }
  })
}

/** The journal's own object of the tag: a hundred thousand second ones would cost 6 MB. */
function tagOf(journal: Journal, device: string, tag: ProfileTag): EdgeTag {
  const known = journal.tag(journal.tagId(device, tag.tag, publishedType(tag)))
  if (known?.device === undefined) throw new Error(`The journal does not know the tag ${device}/${tag.tag}`)
  return known as EdgeTag
}

/** Units by tag, one map for all devices of a profile. */
function sharedUnits(): (profile: DeviceProfile) => ReadonlyMap<string, string> {
  const known = new Map<DeviceProfile, ReadonlyMap<string, string>>()
  return (profile) => {
    const units =
      known.get(profile) ?? new Map(profile.tags.flatMap(({ tag, unit }) => (unit === undefined ? [] : [[tag, unit]])))
    known.set(profile, units)
    return units
  }
}

function profileOf({ profiles }: EdgeConfig, key: string) {
  const profile = profiles.get(key)
  if (!profile) throw new Error(`The profile ${key} passed the check but is not there`)
  return profile
}

/** Only the protocols that a device needs: a driver's library costs memory. */
function startProtocols({ config, clock, log }: EdgeOptions): Map<string, Protocol> {
  const needed = new Set(config.devices.map(({ profile }) => profileOf(config, profile).protocol))
  const started = PROTOCOLS.filter(({ name }) => needed.has(name)).map((protocol) => {
    const deps = { now: clock.now, dataDir: config.data, log: log.child({ driver: protocol.name }) }
    return [protocol.name, protocol.start(deps)] as const
  })
  return new Map(started)
}

/** Every device with its driver. Nothing is opened yet. */
function connectable(config: EdgeConfig, model: WritableModel, protocols: Parts['protocols']): AcquiredDevice[] {
  return config.devices.map((configured, i) => {
    const profile = profileOf(config, configured.profile)
    const driver = protocols.get(profile.protocol)?.createDriver(driverDevice(configured, profile))
    const device = model.devices[i]
    if (!driver || !device) throw new Error(`The protocol ${profile.protocol} passed the check but is not there`)
    return { device, profile, driver }
  })
}

function acquire(
  { config, clock, log }: EdgeOptions,
  { model, journal, devices }: Pick<Parts, 'model' | 'journal'> & { devices: readonly AcquiredDevice[] },
): Acquisition {
  const sink = (samples: readonly TagSample[], kind?: 'backfill') => journal.append(samples, kind)
  const gap = (record: GapRecord) => journal.appendGap(record)
  const alarmEvent = (event: AlarmEvent) => journal.appendAlarmEvent(JSON.stringify(event), event.eventAt)
  return startAcquisition({ devices, model, scan: config.scan, retry: config.retry, sink, gap, alarmEvent, clock, log })
}

function writeDesk({ config, clock, log }: EdgeOptions, devices: readonly AcquiredDevice[]): WriteDesk {
  const writable = devices.map(({ device, profile, driver }, i) => ({
    ...{ device: device.device, profile, driver },
    writable: config.devices[i]?.writable,
  }))
  return createWriteDesk({
    devices: writable,
    ledger: openLedger(config.data, clock.now()),
    clock,
    wait: (ms, signal) => wait(ms, undefined, { signal }).catch(() => undefined),
    log: log.child({ part: 'writes' }),
  })
}

function driverDevice(configured: EdgeDeviceConfig, profile: ReturnType<typeof profileOf>) {
  return { device: configured.device, profile, config: configured[profile.protocol] }
}

function checkAddresses(
  { config, log }: EdgeOptions,
  { uplink, acquisition }: { uplink: Uplink; acquisition: Acquisition },
): StartCheck {
  const { addresses } = config
  return startCheck({ addresses, devices: acquisition.status, uplink: () => uplink.status(), probe, log })
}

/** Plain HTTP stays on this machine; beyond it the page has a certificate. */
async function servePage(parts: Omit<AgentParts, 'pageFingerprint'>, token: string) {
  const { data, status } = parts.config
  const { bind: host, port } = status
  const made = { file: join(data, 'page-certificate.pem'), names: pageNames(host), now: parts.clock.now() }
  const tls = isLoopback(host) ? undefined : keepPageCertificate(made)
  const fingerprint = tls?.fingerprint
  const sources = statusSources({ ...parts, pageFingerprint: fingerprint })
  const server = await startStatusServer({ sources, port, token, bind: { host, ...(tls && { tls }) } })
  return { url: server.url, fingerprint, close: () => server.close() }
}

/** What the page tells of what stands above the agent. */
const ownFacts = (management: Management | undefined) => ({
  configuration: () => management?.running(),
  clockOffsetMs: () => management?.clockOffsetMs?.() ?? 0,
})

const countTags = ({ devices }: WritableModel) => devices.reduce((sum, { tags }) => sum + tags.length, 0)
