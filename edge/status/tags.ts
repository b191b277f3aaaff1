import type { EdgeTag } from '#edge/model.ts'
import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import type { Quality, Scalar } from '#shared/contracts/sample.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import type { StatusSources } from './snapshot.ts'

export const QUALITIES = ['good', 'uncertain', 'bad', 'stale'] as const
export type QualityWord = (typeof QUALITIES)[number]

export interface TagSnapshot {
  readonly device: string
  readonly tag: string
  readonly name: LocalizedText
  readonly address?: string
  readonly unit?: string
  /** As text: 64-bit numbers keep their digits. Null when nothing was read. */
  readonly value: string | null
  /** What the value of a coded tag means. */
  readonly word?: LocalizedText
  readonly quality: QualityWord
  /** When the value was true, ms since 1970. */
  readonly sourceAt?: number
  /** Time since then, in ms. */
  readonly ageMs?: number
  readonly reason?: string
}

export interface TagQuery {
  readonly device?: string | undefined
  /** Words that must all stand in the tag's name, key, device, unit or address. */
  readonly text?: string | undefined
  readonly quality?: QualityWord | undefined
  /** Counted from 1. */
  readonly page: number
  readonly limit: number
}

export interface TagPage {
  readonly items: readonly TagSnapshot[]
  /** Tags that the query finds. */
  readonly total: number
  readonly page: number
  readonly pages: number
}

interface Listed {
  readonly tag: EdgeTag
  readonly profile: ProfileTag | undefined
  readonly searched: string
}

const lists = new WeakMap<StatusSources, readonly Listed[]>()

/** One page of the tags that a query finds, in the order of the configuration; a page beyond the last gives the last. */
export function findTags(sources: StatusSources, query: TagQuery): TagPage {
  const isWanted = wanted(sources, query)
  const found = listOf(sources).filter(isWanted)
  const pages = Math.max(1, Math.ceil(found.length / query.limit))
  const page = Math.min(Math.max(1, query.page), pages)
  const faults = new Map(sources.devices().map((status) => [status.device, status.faults]))
  const items = found
    .slice((page - 1) * query.limit, page * query.limit)
    .map((listed) => snapshotOf(sources, listed, faults.get(listed.tag.device)?.get(listed.tag.tag)))
  return { items, total: found.length, page, pages }
}

/** Made once: 100,000 tags are looked through in milliseconds after that. */
function listOf(sources: StatusSources): readonly Listed[] {
  const known = lists.get(sources)
  if (known) return known
  const list = sources.model.devices.flatMap(({ device, profile, tags }) => {
    const profileTags = new Map(sources.profiles.get(profile)?.tags.map((tag) => [tag.tag, tag]))
    return tags.map((tag) => listed(device, tag, profileTags.get(tag.tag)))
  })
  lists.set(sources, list)
  return list
}

function listed(device: string, tag: EdgeTag, profile: ProfileTag | undefined): Listed {
  const words = [device, tag.tag, profile?.name.en, profile?.name['zh-CN'], profile?.unit, profile?.address]
  return { tag, profile, searched: words.join('\n').toLowerCase() }
}

function wanted({ model }: StatusSources, { device, text = '', quality }: TagQuery): (listed: Listed) => boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return ({ tag, searched }) =>
    (device === undefined || tag.device === device) &&
    words.every((word) => searched.includes(word)) &&
    (quality === undefined || qualityWord(model.current(tag.id)?.quality) === quality)
}

function snapshotOf({ model, now }: StatusSources, { tag, profile }: Listed, reason: string | undefined): TagSnapshot {
  const sample = model.current(tag.id)
  const word = profile?.words?.[String(sample?.value)]
  return {
    device: tag.device,
    tag: tag.tag,
    name: profile?.name ?? { en: tag.tag, 'zh-CN': tag.tag },
    ...(profile === undefined ? {} : { address: profile.address }),
    ...(profile?.unit === undefined ? {} : { unit: profile.unit }),
    value: sample === undefined || sample.value === null ? null : shown(sample.value, profile?.decimals),
    ...(word === undefined ? {} : { word }),
    quality: qualityWord(sample?.quality),
    ...(sample === undefined ? {} : { sourceAt: sample.sourceAt, ageMs: now() - sample.sourceAt }),
    ...(reason === undefined ? {} : { reason }),
  }
}

const QUALITY_WORDS = { 192: 'good', 64: 'uncertain', 0: 'bad' } as const

const qualityWord = (quality: Quality | undefined): QualityWord =>
  quality === undefined ? 'stale' : QUALITY_WORDS[quality]

function shown(value: Exclude<Scalar, null>, decimals: number | undefined): string {
  return typeof value === 'number' && decimals !== undefined ? value.toFixed(decimals) : String(value)
}
