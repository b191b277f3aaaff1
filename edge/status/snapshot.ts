import type { DeviceStatus } from '#edge/acquisition/device.ts'
import type { LaneStatus, LossKind } from '#edge/drivers/driver.ts'
import type { JournalStatus } from '#edge/journal/index.ts'
import type { EdgeModel, EdgeTag } from '#edge/model.ts'
import type { UplinkStatus } from '#edge/uplink/index.ts'
import type { DeviceProfile, ProfileTag } from '#shared/contracts/device-profile.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import type { Trouble, TroubleKind } from '#shared/reach/probe.ts'
import { troubleFault } from '#shared/reach/words.ts'

/** Where the page's facts come from. Everything is asked for only when somebody looks. */
export interface StatusSources {
  readonly model: EdgeModel
  readonly profiles: ReadonlyMap<string, DeviceProfile>
  readonly devices: () => readonly DeviceStatus[]
  readonly lanes: () => readonly LaneStatus[]
  readonly journal: () => JournalStatus
  readonly uplink: () => UplinkStatus
  /** Addresses of edge.yaml that did not answer after the start, nor since. */
  readonly troubles: () => readonly Trouble[]
  /** Wall clock, ms since 1970. */
  readonly now: () => number
  /** When this program started, ms since 1970. */
  readonly startedAt: number
}

export interface TagSnapshot {
  readonly tag: string
  readonly name: LocalizedText
  readonly unit?: string
  /** As text: 64-bit numbers keep their digits. Null when nothing was read. */
  readonly value: string | null
  /** What the value of a coded tag means. */
  readonly word?: LocalizedText
  readonly quality: 'good' | 'uncertain' | 'bad' | 'stale'
  /** Time since the value was true, in ms. */
  readonly ageMs?: number
  readonly reason?: string
}

export interface DeviceSnapshot {
  readonly device: string
  readonly profile: string
  readonly protocol: string
  readonly state: DeviceStatus['state']
  readonly since: number
  readonly error?: string
  readonly lossKind?: LossKind
  readonly failures: number
  readonly lastReadAt?: number
  readonly overruns: number
  readonly read: number
  readonly reported: number
  readonly refused: number
  readonly tags: readonly TagSnapshot[]
}

/** An address of edge.yaml that does not answer. */
export interface FaultSnapshot {
  /** `/etc/andon/edge.yaml:12` */
  readonly at: string
  /** `devices[2].modbus.host` */
  readonly path: string
  readonly kind: TroubleKind
  /** In English, as `andon check` tells it. */
  readonly found: string
  readonly fix: string
}

/** Everything that the local page shows, as plain JSON. */
export interface EdgeSnapshot {
  readonly group: string
  readonly edge: string
  readonly at: number
  readonly startedAt: number
  readonly memoryBytes: number
  readonly faults: readonly FaultSnapshot[]
  readonly lanes: readonly LaneStatus[]
  readonly devices: readonly DeviceSnapshot[]
  /** Offsets and the epoch as decimal strings. */
  readonly journal: Readonly<Record<string, unknown>>
  readonly uplink: Readonly<Record<string, unknown>>
}

/** Takes the state of everything at this moment. */
export function takeSnapshot(sources: StatusSources): EdgeSnapshot {
  const { model, now } = sources
  return {
    group: model.group,
    edge: model.edge,
    at: now(),
    startedAt: sources.startedAt,
    memoryBytes: process.memoryUsage.rss(),
    faults: sources.troubles().map(faultSnapshot),
    lanes: sources.lanes(),
    devices: sources.devices().map((device) => deviceSnapshot(sources, device)),
    journal: withoutBigints(sources.journal()),
    uplink: withoutBigints(sources.uplink()),
  }
}

function faultSnapshot(trouble: Trouble): FaultSnapshot {
  const { file, line, path, found = '', fix } = troubleFault(trouble)
  return { at: `${file}:${line}`, path, kind: trouble.kind, found, fix }
}

function deviceSnapshot(sources: StatusSources, { faults, ...status }: DeviceStatus): DeviceSnapshot {
  const tags = sources.model.devices.find(({ device }) => device === status.device)?.tags ?? []
  const profileTags = new Map(sources.profiles.get(status.profile)?.tags.map((tag) => [tag.tag, tag]))
  return {
    ...status,
    tags: tags.map((tag) =>
      tagSnapshot(sources, tag, { profile: profileTags.get(tag.tag), reason: faults.get(tag.tag) }),
    ),
  }
}

interface TagFacts {
  readonly profile: ProfileTag | undefined
  readonly reason: string | undefined
}

function tagSnapshot({ model, now }: StatusSources, tag: EdgeTag, { profile, reason }: TagFacts): TagSnapshot {
  const sample = model.current(tag.id)
  const word = profile?.words?.[String(sample?.value)]
  return {
    tag: tag.tag,
    name: profile?.name ?? { en: tag.tag, 'zh-CN': tag.tag },
    ...(tag.unit === undefined ? {} : { unit: tag.unit }),
    value: sample === undefined || sample.value === null ? null : shown(sample.value, profile?.decimals),
    ...(word === undefined ? {} : { word }),
    quality: sample === undefined ? 'stale' : QUALITY_WORDS[sample.quality],
    ...(sample === undefined ? {} : { ageMs: now() - sample.sourceAt }),
    ...(reason === undefined ? {} : { reason }),
  }
}

const QUALITY_WORDS = { 192: 'good', 64: 'uncertain', 0: 'bad' } as const

function shown(value: number | bigint | boolean | string, decimals: number | undefined): string {
  return typeof value === 'number' && decimals !== undefined ? value.toFixed(decimals) : String(value)
}

function withoutBigints(status: object): Readonly<Record<string, unknown>> {
  const entries = Object.entries(status).map(([key, value]) => [key, typeof value === 'bigint' ? String(value) : value])
  return Object.fromEntries(entries)
}
