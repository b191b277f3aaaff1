import type { SparkplugType } from '#shared/sparkplug/datatype.ts'
import { BD_SEQ, EPOCH, FIRST_OFFSET, LAST_OFFSET, PROFILE } from '#shared/sparkplug/metric-names.ts'
import { type Payload, PayloadError } from '#shared/sparkplug/payload.ts'
import type { BirthValue } from '../detection/contract.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'
import { type BornMetric, bornMetrics, isStorable, isTagMetric, NODE_DEVICE, slotOf, tagType } from '../shard/slots.ts'
import { type NewTag, tagState } from '../shard/store.ts'
import { type DeviceState, deviceState, type TagState } from '../shard/tag-state.ts'
import { acknowledge } from './commands.ts'
import { bdSeqAt } from './deaths.ts'
import { freedGap, storeGap } from './gaps.ts'
import type { HostContext } from './host-context.ts'
import { bornReport } from './report.ts'
import { type ReadValue, readValue } from './values.ts'

/** Opens a session. @throws PayloadError when its offsets make no sense. */
export function nodeBirth(host: HostContext, shard: EdgeShard, payload: Payload): Promise<void> | undefined {
  const now = host.clock()
  const bdSeq = bdSeqOf(payload)
  const { session } = shard
  const isNew = !session.isOnline || session.bdSeq !== bdSeq
  const metrics = bornMetrics(payload)
  openJournal(host, shard, payload)
  shard.beginSession(metrics)
  Object.assign(session, { isOnline: true, isSilent: false, bdSeq })
  if (isNew) {
    shard.order.trust()
    session.connectedAt = now
    session.acknowledged = -1n
    for (const device of shard.devices.values()) endDevice(device)
  }
  bornReport(host, shard, payload)
  shard.detection.onSession(shard.journal)
  host.changes.tell({ kind: 'began', shard, at: new Date(now), isNew })
  acknowledge(host, shard, true)
  return metrics.some(isTagMetric) ? deviceBirth(host, shard, { device: NODE_DEVICE, payload }) : undefined
}

/** Reads epoch and offsets; what the edge freed without the host having it becomes a gap. */
function openJournal(host: HostContext, shard: EdgeShard, payload: Payload): void {
  const epoch = metricValue(payload, EPOCH, 'uint64')
  if (typeof epoch !== 'bigint') {
    shard.journal = undefined
    return
  }
  const first = metricValue(payload, FIRST_OFFSET, 'uint64')
  const last = metricValue(payload, LAST_OFFSET, 'uint64')
  if (typeof first !== 'bigint' || typeof last !== 'bigint' || first < 1n || last < first - 1n) {
    throw new PayloadError('NBIRTH with an epoch and without sensible offsets')
  }
  const journal = shard.openJournal(epoch)
  journal.first = first
  if (last > journal.newest) journal.newest = last
  const freed = freedGap(shard, journal, host.clock())
  if (freed) storeGap(host, shard, freed)
}

/** Null when the birth has none: any death ends such a session. */
function bdSeqOf(payload: Payload): number | null {
  for (let i = 0; i < payload.count; i++) if (payload.name(i) === BD_SEQ) return bdSeqAt(payload, i) ?? null
  return null
}

function metricValue(payload: Payload, name: string, type: SparkplugType) {
  for (let i = 0; i < payload.count; i++) {
    if (payload.name(i) === name) return payload.isNull(i) ? undefined : payload.valueAs(i, type)
  }
  return undefined
}

function endDevice(device: DeviceState): void {
  device.isOnline = false
  for (const tag of device.tags.values()) tag.isBorn = false
}

/** Brings a device up. Asynchronous only when a tag is new: then the database gives it its key first. */
export function deviceBirth(
  host: HostContext,
  shard: EdgeShard,
  { device, payload }: { readonly device: string; readonly payload: Payload },
): Promise<void> | undefined {
  const metrics = bornMetrics(payload)
  const profile = metricValue(payload, PROFILE, 'string')
  const birth: Birth = {
    device,
    payload,
    metrics,
    profile: typeof profile === 'string' && isStorable(profile) ? profile : null,
    tags: newTags(shard, device, metrics),
  }
  const known = shard.devices.get(device)
  if (known && birth.tags.every((tag) => isSame(known.tags.get(tag.tag), tag))) {
    const isNews = !known.isOnline || known.profile !== birth.profile
    applyBirth(host, shard, { birth, state: known })
    const at = new Date(host.clock())
    if (!isNews) host.changes.tell({ kind: 'saved', shard, at })
    else host.changes.tell({ kind: 'born', shard, at, birth: { device, profile: birth.profile, tags: [], isNews } })
    return undefined
  }
  return learnDevice(host, shard, birth)
}

interface Birth {
  readonly device: string
  readonly payload: Payload
  readonly metrics: readonly BornMetric[]
  readonly profile: string | null
  readonly tags: readonly NewTag[]
}

/** Each name once, by its last metric: a statement cannot write one row twice. */
function newTags(shard: EdgeShard, device: string, metrics: readonly BornMetric[]): NewTag[] {
  const byName = new Map(metrics.filter(isTagMetric).map((metric) => [metric.name, metric]))
  return [...byName.values()].map((metric) => newTag(shard, device, metric))
}

const newTag = ({ ref }: EdgeShard, device: string, metric: BornMetric): NewTag => ({
  path: `${ref.group}/${ref.edge}/${device}/${metric.name}`,
  tag: metric.name,
  type: tagType(metric.type ?? 'string'),
  unit: metric.unit,
})

const isSame = (known: TagState | undefined, tag: NewTag): boolean =>
  known?.type === tag.type && known.unit === tag.unit

async function learnDevice(host: HostContext, shard: EdgeShard, birth: Birth): Promise<void> {
  const { device, profile, tags } = birth
  const at = new Date(host.clock())
  const isNews = shard.devices.get(device)?.isOnline !== true
  const found = await host.changes.add({ kind: 'born', shard, at, birth: { device, profile, tags, isNews } })
  if (!found) throw new Error(`The birth of ${device} was written and left no device`)
  const state = shard.devices.get(device) ?? deviceState({ id: found.device.id, device, profile })
  shard.devices.set(device, state)
  for (const row of found.tags) {
    const tag = state.tags.get(row.tag) ?? tagState(row, state)
    tag.type = row.type as TagState['type']
    tag.unit = row.unit
    state.tags.set(row.tag, tag)
    host.shards.index(shard, tag)
  }
  applyBirth(host, shard, { birth, state })
  host.changes.tell({ kind: 'saved', shard, at })
}

interface Applied {
  readonly birth: Birth
  readonly state: DeviceState
}

function applyBirth(host: HostContext, shard: EdgeShard, { birth, state }: Applied): void {
  shard.noteBirth(birth.device, birth.metrics)
  for (const tag of state.tags.values()) tag.isBorn = false
  Object.assign(state, { isOnline: true, profile: birth.profile, bornAt: host.clock() })
  const values = takeBirthValues(host, shard, birth)
  const profile = birth.profile === null ? undefined : host.profiles.get(birth.profile)
  shard.detection.onBirth(birth.device, profile, values)
  for (const tag of state.tags.values()) tag.watch = shard.detection.tag(birth.device, tag.tag)
  host.writer.changed()
  host.onBorn?.(state)
  host.live.publish(shard, state.tags.values())
}

/** Values of a birth show the present; they are samples only for an edge without a journal, when newer than what is stored. */
function takeBirthValues(host: HostContext, shard: EdgeShard, { device, payload }: Birth): BirthValue[] {
  const values: BirthValue[] = []
  const born = shard.born(device)
  for (let i = 0; i < payload.count; i++) {
    const slot = slotOf(born, payload, i)
    if (!slot?.tag) continue
    slot.tag.isBorn = true
    const read = readValue(payload, i, slot, () => host.metrics.count('values_misfit_total', 1))
    if (read.sourceAt !== null) values.push({ tag: slot.tag.tag, ...read, sourceAt: read.sourceAt })
    showBirthValue(host, shard, { tag: slot.tag, read })
  }
  return values
}

function showBirthValue(
  host: HostContext,
  shard: EdgeShard,
  { tag, read }: { readonly tag: TagState; readonly read: ReadValue },
): void {
  if (read.sourceAt === null) {
    if (tag.sourceAt === null) tag.show(null, tag.quality, null)
    return
  }
  const isNewer = tag.sourceAt === null || read.sourceAt > tag.sourceAt
  if (!isNewer) return
  tag.show(read.value, read.quality, read.sourceAt)
  if (!shard.journal && host.writer.isOpen) host.writer.batch.add(tag.key, read.sourceAt, read.value, read.quality)
}
