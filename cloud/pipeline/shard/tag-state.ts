import type { Quality, Scalar, ScalarType } from '#shared/contracts/sample.ts'
import type { LiveTagValue } from '../contract.ts'

/** One tag as its shard holds it. Mutable: one object a tag, for as long as the process lives. */
export interface TagState {
  readonly id: string
  /** The number that history knows it by. */
  readonly key: number
  /** `group/edge/device/tag` */
  readonly path: string
  readonly device: DeviceState
  readonly tag: string
  type: ScalarType
  unit: string | null
  value: Scalar
  quality: Quality
  /** ms since 1970; null before the first value. */
  sourceAt: number | null
  /** Number by which detection wants its samples; −1: nothing watches it. */
  watch: number
  /** True when the device's last birth named it. */
  isBorn: boolean
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
}

/** The tag's newest value; `isSilent` says that no message comes from its edge. */
export function liveValue(tag: TagState, isSilent: boolean): LiveTagValue {
  const isStale = isSilent || !tag.device.isOnline || !tag.isBorn || tag.sourceAt === null
  return { path: tag.path, value: tag.value, quality: tag.quality, sourceAt: tag.sourceAt, isStale }
}
