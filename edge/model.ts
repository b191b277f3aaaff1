import type { Quality, Scalar, ScalarType } from '#shared/contracts/sample.ts'

/** One tag that this edge reads. `id` is the journal's own number for it, kept over restarts and configuration changes. */
export interface EdgeTag {
  readonly id: number
  readonly device: string
  readonly tag: string
  readonly type: ScalarType
}

/** A device as the uplink announces it. */
export interface EdgeDevice {
  readonly device: string
  /** Key of its device profile, told to the cloud in the DBIRTH. */
  readonly profile: string
  readonly tags: readonly EdgeTag[]
  /** Engineering unit of each tag that has one; devices of one profile share the map. */
  readonly units?: ReadonlyMap<string, string>
}

/** A value with its quality and the time at which it was true, in ms since 1970. */
export interface TagSample {
  readonly tagId: number
  readonly sourceAt: number
  readonly value: Scalar
  readonly quality: Quality
}

/** What acquisition tells the uplink. The uplink reads it at births; it never polls it. */
export interface EdgeModel {
  readonly group: string
  readonly edge: string
  readonly devices: readonly EdgeDevice[]
  /** Last value read of a tag; undefined when it was not read since start (published as stale in a birth). */
  current(tagId: number): TagSample | undefined
  /** True while the device answers. */
  isAlive(device: string): boolean
  /** Called after each change of a device's life. Returns the unsubscribe function. */
  onDeviceChange(listener: (device: string, isAlive: boolean) => void): () => void
}
