import type { Kysely } from 'kysely'
import type { Database } from '#cloud/platform/database/database.ts'
import { DomainError } from '#cloud/platform/errors.ts'
import { loadProfiles } from '#shared/config/profile.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import type { Quality } from '#shared/contracts/sample.ts'
import type { Log } from '#shared/log/log.ts'
import { RangeSet } from '#shared/sparkplug/range-set.ts'
import { type Broker, BrokerUnavailableError } from './broker/broker.ts'
import { type MqttOptions, type OpenBrokerOptions, openBroker } from './broker/open.ts'
import type { EdgeRef, EdgeRegistrationInput, EdgeStatus, MqttPlace, Pipeline, PipelineMetrics } from './contract.ts'
import { createDetection, type Detection, type LateHistory } from './detection/index.ts'
import { edgesAtWork } from './edges-at-work.ts'
import type { HistoryBatch } from './historian/batch.ts'
import type { Historian, RangeMark } from './historian/historian.ts'
import { keptReader } from './historian/kept.ts'
import { type ExternalHistory, openHistory } from './historian/open.ts'
import { historyReader } from './historian/reader.ts'
import type { RetentionSettings } from './historian/retention-classes.ts'
import { type HistoryWriter, startWriter } from './historian/writer.ts'
import { acknowledgeable } from './host/commands.ts'
import { createHost, HOST_ID, type Host } from './host/host.ts'
import type { HostLimits } from './host/host-context.ts'
import { tolerate } from './host/tolerances.ts'
import type { Division } from './lease/division.ts'
import type { Speaker } from './lease/speaker.ts'
import { type ClassKeeper, createClassKeeper } from './shard/class-keeper.ts'
import type { EdgeShard } from './shard/edge-shard.ts'
import { type LiveCache, liveCache } from './shard/live.ts'
import { pageOfTags } from './shard/page-of-tags.ts'
import { type RecordsQueue, recordsQueue } from './shard/records-queue.ts'
import { openShard, type RestoreOptions, restoreShards, restoreView } from './shard/restore.ts'
import { createShards, type Shards } from './shard/shards.ts'
import { type EdgeRow, type PipelineStore, pipelineStore } from './shard/store.ts'
import { deviceStatus, edgeStatus, registeredStatus, tagStatus } from './shard/views.ts'

export interface PipelineOptions {
  readonly db: Database
  /** History lives in the folder `history` below it, unless it is external. */
  readonly dataDir: string
  /** InfluxDB or VictoriaMetrics to keep history in. */
  readonly externalHistory?: ExternalHistory | undefined
  /** How long history keeps tags, by class; for ever unless told. */
  readonly retention?: RetentionSettings | undefined
  /** Folder of device profiles, by default `devices/profiles`. */
  readonly profilesDir: string
  readonly mqtt: MqttOptions
  /** ms since 1970 */
  readonly clock: () => number
  readonly log: Log
  readonly metrics?: PipelineMetrics
  /** Opens another broker to stand on than the embedded one. */
  readonly openBroker?: () => Promise<Broker>
  /** Where several processes divide the edges: what this one is among them. Absent: it has all. */
  readonly member?: MemberOptions | undefined
  /** How patient the Sparkplug host is; its defaults suit the embedded broker. */
  readonly limits?: Partial<HostLimits>
}

/** One of several processes. */
export interface MemberOptions {
  readonly fence: bigint
  /** False from when others may have taken its edges over: nothing is sent to edges then. */
  readonly isValid: () => boolean
  /** Says which edges are its own. */
  readonly division: Division
  /** Says whether it speaks for the host. */
  readonly speaker: Speaker
}

const SPACING_MS = 200
const MAX_WAITING_VALUES = 2_000_000
const HISTORY_CLOSED = 'History takes nothing at present; the edges keep their samples. The log says why'
const NO_METRICS: PipelineMetrics = { count: () => undefined, gauge: () => undefined }

/** What a running pipeline is made of. */
interface Parts {
  readonly options: PipelineOptions
  readonly profiles: ReadonlyMap<string, DeviceProfile>
  readonly historian: Historian
  readonly detection: Detection
  readonly store: PipelineStore
  readonly shards: Shards
  readonly writer: HistoryWriter
  readonly broker: Broker
  readonly host: Host
  readonly queue: RecordsQueue
  readonly live: LiveCache
  readonly classes: ClassKeeper
}

/** Opens history, restores the shards, starts the broker and then the host; throws when a port is taken or a file is missing. */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const undo: (() => Promise<void>)[] = []
  try {
    return await assemble(options, (close) => undo.unshift(close))
  } catch (error) {
    for (const close of undo) await close()
    throw error
  }
}

async function assemble(options: PipelineOptions, opened: (close: () => Promise<void>) => void): Promise<Pipeline> {
  const { db, clock, log, metrics = NO_METRICS } = options
  const profiles = loadProfiles(options.profilesDir)
  const store = pipelineStore(db)
  const shards = createShards()
  const labelsOf = (key: number) => labelsIn(shards, key)
  const { dataDir, externalHistory: external, retention = {} } = options
  const historian = await openHistory({ external, dataDir, retention, db, labelsOf, clock, log, metrics })
  opened(() => historian.close())
  const system = db.system as unknown as Kysely<unknown>
  const listen = db.listen.bind(db)
  const fence = options.member?.fence
  const history = lateHistory(historian, shards)
  const detection = await createDetection({ db: system, listen, clock, log, fence, history })
  opened(() => detection.close())
  const first = await firstEdges(options)
  if (first !== 'later') await restoreAll({ store, historian, detection, profiles, shards, clock, log }, first)
  const hashes = (edge: EdgeRef) => shards.get(edge)?.secretHash
  const onOddWill: OpenBrokerOptions['onOddWill'] = (edge, rule) => {
    const shard = shards.get(edge)
    if (shard) tolerate({ clock, log, metrics }, shard, rule)
  }
  const isStranger = async (edge: EdgeRef) => !(await store.isRegistered(edge))
  const told = {
    isStranger,
    secretHash: hashes,
    onOddWill,
    ...(await speech(options)),
    system,
    listen,
    clock,
    log,
    metrics,
  }
  const broker = await (options.openBroker?.() ?? openBroker({ ...options.mqtt, ...told }))
  opened(() => broker.close())
  const [queue, live] = [recordsQueue(log), liveCache(shards)]
  const classes = createClassKeeper({ historian, profiles, settings: retention, later: queue.later, log })
  classes.start([...shards].flatMap((shard) => [...shard.devices.values()]))
  return connect({ options, profiles, historian, detection, store, shards, broker, queue, live, classes, metrics })
}

/** What detection judges late samples from. */
function lateHistory(historian: Historian, shards: Shards): LateHistory {
  const nothing = { gaps: async () => [], retention: async () => [] }
  const reader = historyReader({ historian, find: (path) => shards.find(path)?.tag, ...nothing })
  return {
    hasAll: (edge, { epoch, first, last }) =>
      shards.get(edge)?.journals.get(epoch)?.committed.hasAll(first, last) ?? false,
    async read(query) {
      const { at, value, quality } = await reader.raw(query)
      return Array.from(at, (time, i) => ({ at: time, value: value[i] ?? null, quality: quality[i] as Quality }))
    },
  }
}

/** The embedded broker must know its edges before they knock; where edges go by another broker they are taken on one by one. */
async function firstEdges({ member, mqtt, openBroker }: PipelineOptions): Promise<'all' | 'later' | readonly string[]> {
  if (!member) return 'all'
  return mqtt.external || openBroker ? 'later' : await member.division.claimAll()
}

/** Whether the first connection to a broker carries the host's will, and whether later ones may. */
async function speech({ member }: PipelineOptions): Promise<Pick<OpenBrokerOptions, 'speaksFor' | 'mayHold'>> {
  if (!member) return { speaksFor: HOST_ID }
  const { speaker } = member
  return { speaksFor: (await speaker.claim()) ? HOST_ID : undefined, mayHold: () => speaker.isSpeaker() }
}

async function restoreAll(options: RestoreOptions, edges: 'all' | readonly string[]): Promise<void> {
  const restored = await restoreShards(options, edges === 'all' ? undefined : edges)
  await restoreView(
    options,
    restored.map(({ shard }) => shard),
  )
}

function labelsIn(shards: Shards, key: number) {
  const found = shards.byKey(key)
  return found && { ...found.shard.ref, device: found.tag.device.device, tag: found.tag.tag }
}

type Opened = Omit<Parts, 'writer' | 'host'> & { readonly metrics: PipelineMetrics }

/** Joins the parts: messages to the host, commits and marks to acknowledgements, gaps to people. */
async function connect(opened: Opened): Promise<Pipeline> {
  const { historian, shards, store, queue, options, metrics, detection, broker } = opened
  const { log, clock } = options
  const links = { shards, store, queue, acknowledge: (shard: EdgeShard) => host.acknowledge(shard) }
  const writer = startWriter({
    ...{ historian, log, metrics, spacingMs: SPACING_MS, maxWaiting: MAX_WAITING_VALUES },
    onCommitted: (batch) => {
      noteCommit(links, batch)
      void detection.judgeLate()
    },
    onLost: (marks) => rollBack(shards, marks),
    onHold: (isHeld) => broker.hold(isHeld),
  })
  const { record, later } = queue
  const limits = options.limits && { limits: options.limits }
  const host = createHost({
    ...opened,
    broker: fenced(broker, options.member),
    speaker: options.member?.speaker,
    writer,
    clock,
    log,
    record,
    later,
    onBorn: (device) => opened.classes.born(device),
    ...limits,
  })
  detection.onMark((edge) => {
    const shard = shards.get(edge)
    if (shard) host.acknowledge(shard)
  })
  detection.onDeviceAcknowledgement((edge, command) => {
    const shard = shards.get(edge)
    if (shard) host.tellAcknowledgement(shard, command)
  })
  broker.onLink((isUp) => (isUp ? host.regained() : host.lost()))
  await recordKnownGaps(links, historian)
  await broker.consume((topic, payload) => host.receive(topic, payload))
  await Promise.all([...shards].map(({ ref }) => broker.subscribeEdge(ref)))
  await host.start()
  void detection.judgeLate()
  const parts = { ...opened, writer, host }
  await divide(parts, links)
  return pipelineOf(parts)
}

/** Where several processes divide the edges, takes on its own, from now on and for as long as it lives. */
async function divide(parts: Parts, links: Links): Promise<void> {
  const { options, historian } = parts
  const { clock, log, member } = options
  const tellOf = async (shards: readonly EdgeShard[]) => {
    const own = new Set(shards.map(({ ref }) => `${ref.group}/${ref.edge}`))
    const gaps = (await historian.gaps()).filter(({ group, edge }) => own.has(`${group}/${edge}`))
    if (gaps.length > 0) await tellGaps(links, gaps)
  }
  await member?.division.start(edgesAtWork({ ...parts, clock, log, tellGaps: tellOf }))
}

/** An acknowledgement of one who has been succeeded could free what his successor does not have. */
function fenced(broker: Broker, member: MemberOptions | undefined): Broker {
  if (!member) return broker
  const refuse = () => Promise.reject(new BrokerUnavailableError('another process may have taken over'))
  return { ...broker, publish: (...message) => (member.isValid() ? broker.publish(...message) : refuse()) }
}

interface Links {
  readonly shards: Shards
  readonly store: PipelineStore
  readonly queue: RecordsQueue
  readonly acknowledge: (shard: EdgeShard) => void
}

/** After a commit: the ranges are on disk, so they may be acknowledged; gaps are told to people. */
function noteCommit(links: Links, { marks, gaps }: HistoryBatch): void {
  for (const mark of marks) {
    const shard = links.shards.get(mark)
    shard?.journals.get(mark.epoch)?.commit(RangeSet.parse(mark.ranges))
    if (shard) links.acknowledge(shard)
  }
  if (gaps.length > 0) links.queue.later(() => tellGaps(links, gaps))
}

async function tellGaps({ shards, store }: Links, gaps: HistoryBatch['gaps']): Promise<void> {
  const recorded = await store.recordGaps(gaps, (group) => shards.organisationOf(group))
  for (const gap of recorded) {
    const shard = shards.get(gap)
    if (!shard) continue
    shard.gapCount += 1
    shard.lastGap = gap
  }
}

/** A crash between the commit of a gap and its row for people leaves it to the next start. */
async function recordKnownGaps(links: Links, historian: Historian): Promise<void> {
  const known = await historian.gaps()
  if (known.length > 0) await tellGaps(links, known)
}

/** A commit failed: what was on the way is not there, and comes again by resend. */
function rollBack(shards: Shards, marks: readonly RangeMark[]): void {
  const committed = new Map(marks.map((mark) => [`${mark.group}/${mark.edge}/${mark.epoch}`, mark.ranges]))
  for (const shard of shards) {
    for (const journal of shard.journals.values()) {
      journal.rollBack(RangeSet.parse(committed.get(`${shard.ref.group}/${shard.ref.edge}/${journal.epoch}`) ?? ''))
    }
  }
}

function pipelineOf(parts: Parts): Pipeline {
  const { shards, historian, detection, store, broker, writer, profiles } = parts
  const find = (path: string) => shards.find(path)?.tag
  return {
    live: parts.live,
    detection,
    history: historyReader({ historian, find, gaps: (query) => store.gaps(query), retention: keptOf(parts) }),
    edges: async (org) => shards.ofOrg(org).map((shard) => edgeStatus(shard, acknowledgeable(shard), parts.profiles)),
    devices: async (org) =>
      shards.ofOrg(org).flatMap((shard) => [...shard.devices.values()].map((device) => deviceStatus(shard, device))),
    tags: (query) => pageOfTags(shards, query, profiles),
    async tag(path) {
      const found = shards.find(path)
      return found && tagStatus(found.shard, found.tag, profiles)
    },
    profile: (key) => profiles.get(key),
    registerEdge: (input) => registerEdge(parts, input),
    async command(command) {
      const { member } = parts.options
      const isElsewhere = member && !shards.get(command.edge) && (await store.isRegistered(command.edge))
      if (isElsewhere) throw notOwner(command.edge)
      return parts.host.command(command)
    },
    mqtt: placeOf(broker, parts.options.mqtt),
    faults: async () =>
      [
        writer.isFailing ? HISTORY_CLOSED : [],
        detection.fault() ?? [],
        broker.fault() ?? [],
        parts.options.member?.division.fault() ?? [],
        ...historian.faults(),
      ].flat(),
    close: closeOnce(parts),
  }
}

function placeOf({ host, port, tlsPort }: Broker, { external, tls }: MqttOptions): MqttPlace {
  const url = external?.url ?? `mqtt://${host.includes(':') ? `[${host}]` : host}:${port}`
  const own = tlsPort === undefined ? undefined : tls
  return { host, port, url, isExternal: external !== undefined, tlsPort, tlsHost: own?.host, root: own?.serverRoot }
}

function keptOf({ historian, shards, classes, options }: Parts) {
  const { retention: settings = {}, clock } = options
  const classOf = (path: string) => {
    const tag = shards.find(path)?.tag
    return tag && classes.classOf(tag.device, tag.tag)
  }
  return keptReader({ historian, settings, classOf, clock })
}

async function registerEdge(parts: Parts, input: EdgeRegistrationInput): Promise<EdgeStatus> {
  const { store, shards, options, broker } = parts
  const row = await store.register(input, new Date(options.clock()))
  const known = shards.get(input)
  const shard = known ?? (await admit(parts, row))
  if (!shard) return registeredStatus(row)
  // Whoever holds the old secret must show the new one.
  if (known && known.secretHash !== row.secret_hash) broker.disconnect(known.ref)
  shard.secretHash = row.secret_hash
  shard.name = row.name
  return edgeStatus(shard, acknowledgeable(shard), parts.profiles)
}

/** Takes on an edge that is not in hand: a new one, or one that nobody has. Undefined when another process has it. */
async function admit({ shards, detection, broker, options }: Parts, row: EdgeRow): Promise<EdgeShard | undefined> {
  const { member } = options
  const ref = { group: row.group_id, edge: row.edge }
  if (!member) {
    const shard = openShard(row, detection)
    shards.add(shard)
    await broker.subscribeEdge(shard.ref)
    return shard
  }
  await member.division.claim(row.id)
  return shards.get(ref)
}

/** The question belongs to another process, which the table of edges tells. */
const notOwner = ({ group, edge }: EdgeRef) =>
  new DomainError('unavailable', 'pipeline.not-owner', `${group}/${edge} is with another process; try again soon`)

function closeOnce(parts: Parts): () => Promise<void> {
  let closing: Promise<void> | undefined
  return () => {
    closing ??= closeParts(parts)
    return closing
  }
}

/** Nothing new is taken, what came is committed and acknowledged, then the edges are let go and the stores close. */
async function closeParts(parts: Parts): Promise<void> {
  const { host, broker, writer, detection, shards, queue, store, options, historian } = parts
  await options.member?.division.stop()
  await options.member?.speaker.stop()
  host.stop()
  await writer.close()
  await detection.close()
  await host.close()
  await broker.close()
  for (const shard of shards) queue.later(() => store.saveSession(shard, new Date(options.clock())))
  await queue.settled()
  await historian.close()
}
