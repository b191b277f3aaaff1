/** One load: what the simulator serves and the edge reads. */
export interface Load {
  readonly connections: number
  /** Units behind each connection, numbered from 1. */
  readonly units: number
  /** Floats of each unit, from register 0 on without gaps. */
  readonly tags: number
  readonly latencyMs: number
  /** Requests that the edge may have under way on a connection. */
  readonly inFlight: number
  /** Every n-th float cannot be read (exception 2); 0 none. */
  readonly badEvery: number
  /** How long a value stands, in ms; a second unless told. */
  readonly periodMs?: number
  /** Every n-th unit falls silent when told to; 0 none. */
  readonly deadEvery: number
  /** Setpoints that the host writes each second, on one unit after the other; none unless told. */
  readonly writesPerSecond?: number
}

/** What the simulator is told after its start, and what it answers with its ports. */
export type ToSimulator = { readonly type: 'start'; readonly load: Load } | { readonly type: 'kill-units' }
export type FromSimulator = { readonly type: 'ready'; readonly ports: readonly number[] }

/** What the host tells when it is asked. */
export interface HostCounts {
  readonly received: number
  readonly compared: number
  /** Values that the simulator never showed for that tag. */
  readonly wrong: number
  /** Values that were shown more than two seconds before the time that they carry. */
  readonly late: number
  readonly duplicated: number
  /** Values of bad quality. */
  readonly bad: number
  /** ms from each command to its result `done`. */
  readonly writeMs: readonly number[]
  /** Commands that were answered otherwise, or not yet. */
  readonly writesOpen: number
}

export const GROUP = 'bench'
export const EDGE = 'edge'
export const REGISTER_LIMIT = 125

export const deviceName = (connection: number, unit: number): string => `d-${connection}-${unit}`
/** A writable float behind the others, where a load has writes. */
export const SETPOINT = 'setpoint'
export const tagName = (tag: number): string => `t${String(tag).padStart(4, '0')}`
export const isBad = ({ badEvery }: Load, tag: number): boolean => badEvery > 0 && tag % badEvery === badEvery >> 1
export const isMortal = ({ deadEvery }: Load, unit: number): boolean => deadEvery > 0 && unit % deadEvery === 0

/** What a float shows in a period: two decimals on a level that names the tag, another one each period. */
export function valueAt(place: number, period: number): number {
  const noise = (period * 7919 + place * 104_729) % 1009
  return Math.fround((place % 5000) + noise / 100)
}

/** Number of a tag over all connections and units. */
export const placeOf = ({ units, tags }: Load, connection: number, unit: number, tag: number): number =>
  (connection * units + unit - 1) * tags + tag
