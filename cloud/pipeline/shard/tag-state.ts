import type { Quality, Scalar, ScalarType } from '#shared/contracts/sample.ts'
import type { LiveTagValue } from '../contract.ts'
import { TagColumns } from './tag-columns.ts'

/** What is told of a tag when it becomes known. */
export interface TagFacts {
  readonly id: string
  /** The number that history knows it by. */
  readonly key: number
  /** `group/edge/device/tag` */
  readonly path: string
  readonly tag: string
  readonly type: ScalarType
  readonly unit: string | null
}

/** One tag as its shard holds it; its newest value stands in the columns of its device. One object a tag, for as long as the process lives. */
export class TagState {
  readonly id: string
  readonly key: number
  readonly path: string
  readonly device: DeviceState
  readonly tag: string
  /** Its place in the columns of its device. */
  readonly place: number
  unit: string | null
  #type: ScalarType
  /** True when the device's last birth named it. */
  isBorn = false

  constructor(facts: TagFacts, device: DeviceState) {
    this.id = facts.id
    this.key = facts.key
    this.path = facts.path
    this.tag = facts.tag
    this.unit = facts.unit
    this.device = device
    this.place = device.columns.add(this, facts.key)
    this.#type = facts.type
    this.type = facts.type
  }

  get type(): ScalarType {
    return this.#type
  }

  set type(type: ScalarType) {
    this.#type = type
    this.device.columns.truth[this.place] = type === 'boolean' ? 1 : 0
  }

  get value(): Scalar {
    const { wide, v } = this.device.columns
    const text = wide[this.place]
    if (text !== undefined) return text
    const number = v[this.place] ?? Number.NaN
    if (Number.isNaN(number)) return null
    return this.type === 'boolean' ? number !== 0 : number
  }

  get quality(): Quality {
    return this.device.columns.q[this.place] as Quality
  }

  /** ms since 1970; null before the first value. */
  get sourceAt(): number | null {
    const at = this.device.columns.ts[this.place] ?? Number.NaN
    return Number.isNaN(at) ? null : at
  }

  /** Number by which detection wants its samples; −1: nothing watches it. */
  get watch(): number {
    return this.device.columns.watch[this.place] ?? -1
  }

  set watch(number: number) {
    this.device.columns.watch[this.place] = number
  }

  /** Takes the newest value; a null time says that nothing was ever read. */
  show(value: Scalar, quality: Quality, sourceAt: number | null): void {
    const { columns } = this.device
    const isWide = typeof value === 'string' || typeof value === 'bigint'
    columns.wide[this.place] = isWide ? value : undefined
    columns.v[this.place] = isWide || value === null ? Number.NaN : Number(value)
    columns.q[this.place] = quality
    columns.ts[this.place] = sourceAt ?? Number.NaN
  }
}

/** One device as its shard holds it. */
export interface DeviceState {
  readonly id: string
  readonly device: string
  profile: string | null
  isOnline: boolean
  /** ms since 1970 */
  bornAt: number | null
  readonly tags: Map<string, TagState>
  readonly columns: TagColumns
}

/** A device without tags, not yet online. */
export const deviceState = (
  facts: Pick<DeviceState, 'id' | 'device' | 'profile'>,
  isOnline = false,
  bornAt: number | null = null,
): DeviceState => ({ ...facts, isOnline, bornAt, tags: new Map(), columns: new TagColumns() })

/** The tag's newest value; `isSilent` says that no message comes from its edge. */
export function liveValue(tag: TagState, isSilent: boolean): LiveTagValue {
  const { path, value, quality, sourceAt } = tag
  const isStale = isSilent || !tag.device.isOnline || !tag.isBorn || sourceAt === null
  return { path, value, quality, sourceAt, isStale }
}
