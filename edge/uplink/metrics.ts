import { fits } from '#edge/journal/conform.ts'
import type { Journal, JournalRecord } from '#edge/journal/journal.ts'
import type { EdgeDevice, EdgeModel, EdgeTag, TagSample } from '#edge/model.ts'
import { GOOD, type Quality, type ScalarType, UNCERTAIN } from '#shared/contracts/sample.ts'
import { type DataWriter, isNumberType } from '#shared/sparkplug/data-writer.ts'
import {
  ACK_OFFSET,
  ALARM_COMMAND,
  ALARM_EVENT,
  ANDON_QUALITY_PROPERTY,
  BD_SEQ,
  COMMAND_ID,
  COMMAND_RESULT,
  CONFIG_DOCUMENT,
  CONFIG_DRY_RUN,
  CONFIG_HASH,
  CONFIG_REPLACES,
  CONFIG_SIGNATURE,
  CONFIG_VERSION,
  EPOCH,
  FIRST_OFFSET,
  GAP,
  HEARTBEAT,
  LAST_OFFSET,
  OFFSET_PROPERTY,
  PROFILE,
  QUALITY_PROPERTY,
  REBIRTH,
  STALE,
  STATUS,
  UNIT_PROPERTY,
} from '#shared/sparkplug/metric-names.ts'
import type { MetricProperty, MetricValue, OutgoingMetric } from '#shared/sparkplug/payload.ts'
import type { NodeFacts, RunningConfiguration } from './uplink.ts'

/** A metric as a birth announces it. */
function born(name: string, type: ScalarType, value: MetricValue, at: number): OutgoingMetric {
  return { name, timestamp: at, type, isTyped: true, value }
}

/** The two offset metrics of a birth, aliased and transient. */
function bornOffsets(journal: Journal, device: string | undefined, at: number, values: readonly MetricValue[]) {
  return [FIRST_OFFSET, LAST_OFFSET].map((name, i) => ({
    ...born(name, 'uint64', values[i] ?? null, at),
    alias: journal.tagId(device, name, 'uint64'),
    isTransient: true,
  }))
}

/** The bdSeq metric, alone in an NDEATH. */
export const bdSeqMetric = (bdSeq: number, at: number): OutgoingMetric => born(BD_SEQ, 'int64', BigInt(bdSeq), at)

/** The heartbeat metric of an NDATA. */
export const heartbeatMetric = (journal: Journal, at: number): OutgoingMetric => ({
  alias: journal.tagId(undefined, HEARTBEAT, 'datetime'),
  timestamp: at,
  type: 'datetime',
  value: at,
})

/** The answer to a command, for an NDATA or DDATA without journal samples. */
export const resultMetric = (
  journal: Journal,
  device: string | undefined,
  json: string,
  at: number,
): OutgoingMetric => ({
  alias: journal.tagId(device, COMMAND_RESULT, 'string'),
  timestamp: at,
  type: 'string',
  value: json,
})

/** What the node tells of itself, for an NDATA without journal samples. */
export const statusMetric = (journal: Journal, json: string, at: number): OutgoingMetric => ({
  alias: journal.tagId(undefined, STATUS, 'string'),
  timestamp: at,
  type: 'string',
  value: json,
})

/** Metrics of the NBIRTH: those of Sparkplug, of the completeness contract, of alarms and commands. */
export function nodeBirth(journal: Journal, bdSeq: number, at: number, facts?: NodeFacts): OutgoingMetric[] {
  const first = journal.acknowledged + 1n
  const last = journal.newest < first ? first - 1n : journal.newest
  const aliased = (name: string, type: ScalarType, value: MetricValue) => ({
    ...born(name, type, value, at),
    alias: journal.tagId(undefined, name, type),
  })
  return [
    bdSeqMetric(bdSeq, at),
    born(REBIRTH, 'boolean', false, at),
    born(EPOCH, 'uint64', journal.epoch, at),
    born(ACK_OFFSET, 'uint64', journal.acknowledged, at),
    ...bornOffsets(journal, undefined, at, [first, last]),
    aliased(HEARTBEAT, 'datetime', at),
    aliased(GAP, 'string', null),
    aliased(ALARM_EVENT, 'string', null),
    aliased(COMMAND_RESULT, 'string', null),
    born(ALARM_COMMAND, 'string', null, at),
    born(COMMAND_ID, 'string', null, at),
    aliased(STATUS, 'string', facts?.report() ?? null),
    ...bornConfiguration(facts?.configuration(), at),
  ]
}

function bornConfiguration(running: RunningConfiguration | undefined, at: number): OutgoingMetric[] {
  const { version, hash, signature } = running ?? {}
  return [
    born(CONFIG_VERSION, 'int64', version === undefined ? null : BigInt(version), at),
    born(CONFIG_HASH, 'string', hash ?? null, at),
    born(CONFIG_SIGNATURE, 'string', signature ?? null, at),
    born(CONFIG_DOCUMENT, 'string', null, at),
    born(CONFIG_REPLACES, 'string', null, at),
    born(CONFIG_DRY_RUN, 'boolean', null, at),
  ]
}

/** A device as it is announced: what the model says, and tags that only old samples in the journal still name. */
export interface BornDevice {
  readonly device: string
  /** Undefined for a device that the configuration no longer has. */
  readonly profile: string | undefined
  readonly tags: readonly EdgeTag[]
  readonly units: ReadonlyMap<string, string>
}

/** A device with its tags from the model and, for samples of an earlier configuration, from the journal. */
export function bornDevice(model: EdgeModel, journal: Journal, device: string, extra: ReadonlySet<number>): BornDevice {
  const known: EdgeDevice | undefined = model.devices.find((candidate) => candidate.device === device)
  const own = known?.tags ?? []
  const ids = new Set(own.map(({ id }) => id))
  const retired = [...extra]
    .filter((id) => !ids.has(id))
    .flatMap((id) => journal.tag(id) ?? [])
    .map(({ id, tag, type }) => ({ id, device, tag, type }))
  return { device, profile: known?.profile, tags: [...own, ...retired], units: known?.units ?? new Map() }
}

/** Metrics of a DBIRTH: every tag with its current value, stale when it was not read since start. */
export function deviceBirth(model: EdgeModel, journal: Journal, born_: BornDevice, at: number): OutgoingMetric[] {
  const { device, profile, tags, units } = born_
  const profileMetric = {
    ...born(PROFILE, 'string', profile ?? null, at),
    alias: journal.tagId(device, PROFILE, 'string'),
  }
  return [
    ...bornOffsets(journal, device, at, []),
    ...(profile === undefined ? [] : [profileMetric]),
    { ...born(COMMAND_RESULT, 'string', null, at), alias: journal.tagId(device, COMMAND_RESULT, 'string') },
    born(COMMAND_ID, 'string', null, at),
    ...tags.map((tag) => bornTag(tag, units.get(tag.tag), { current: model.current(tag.id), at })),
  ]
}

function bornTag(
  tag: EdgeTag,
  unit: string | undefined,
  { current, at }: { readonly current: TagSample | undefined; readonly at: number },
): OutgoingMetric {
  const hasValue = current !== undefined && current.value !== null && fits(current.value, tag.type)
  return {
    name: tag.tag,
    alias: tag.id,
    timestamp: current && Number.isSafeInteger(current.sourceAt) && current.sourceAt >= 0 ? current.sourceAt : at,
    type: tag.type,
    isTyped: true,
    value: hasValue ? current.value : null,
    properties: {
      ...(current ? qualityProperties(current.quality) : { [QUALITY_PROPERTY]: int32(STALE) }),
      ...(unit !== undefined && { [UNIT_PROPERTY]: { type: 'string', value: unit } as const }),
    },
  }
}

const int32 = (value: number): MetricProperty => ({ type: 'int32', value })

/** 192 good, 0 bad; uncertain goes out as 0 with Andon's own property beside it. */
function qualityProperties(quality: Quality): Record<string, MetricProperty> {
  if (quality !== UNCERTAIN) return { [QUALITY_PROPERTY]: int32(quality) }
  return { [QUALITY_PROPERTY]: int32(0), [ANDON_QUALITY_PROPERTY]: int32(UNCERTAIN) }
}

const UNCERTAIN_PROPERTIES = qualityProperties(UNCERTAIN)
const BAD_PROPERTIES = qualityProperties(0)

/** Writes the metrics of an NDATA or DDATA for a journal record: its samples by alias, then the two offsets. */
export function writeRecord(writer: DataWriter, journal: Journal, record: JournalRecord, isHistorical: boolean): void {
  const { samples, offsets } = record
  if (offsets) for (const [k, sample] of samples.entries()) writeThinned(writer, journal, sample, offsets[k] ?? 0n)
  else for (const sample of samples) writeSample(writer, journal, sample, isHistorical)
  const timestamp = samples.at(-1)?.sourceAt ?? 0
  writer.offset(journal.tagId(record.device, FIRST_OFFSET, 'uint64'), timestamp, record.first)
  writer.offset(journal.tagId(record.device, LAST_OFFSET, 'uint64'), timestamp, record.last)
}

/** Quality is written only when it is not good. */
function writeSample(writer: DataWriter, journal: Journal, sample: TagSample, isHistorical: boolean): void {
  const { tagId: alias, sourceAt: timestamp, value, quality } = sample
  const type = journal.tag(alias)?.type ?? 'string'
  if (quality === GOOD && isNumberType(type) && typeof value === (type === 'boolean' ? 'boolean' : 'number')) {
    writer.number(alias, timestamp, Number(value), type)
    return
  }
  const metric = { alias, timestamp, type, value, isHistorical }
  if (quality === GOOD) writer.metric(metric)
  else writer.metric({ ...metric, properties: quality === UNCERTAIN ? UNCERTAIN_PROPERTIES : BAD_PROPERTIES })
}

/** A sample of a thinned record carries its own offset. */
function writeThinned(writer: DataWriter, journal: Journal, sample: TagSample, offset: bigint): void {
  const { tagId: alias, sourceAt: timestamp, value, quality } = sample
  const properties = {
    ...(quality === GOOD ? {} : qualityProperties(quality)),
    [OFFSET_PROPERTY]: { type: 'uint64', value: offset } as const,
  }
  const type = journal.tag(alias)?.type ?? 'string'
  writer.metric({ alias, timestamp, type, value, isHistorical: true, properties })
}
