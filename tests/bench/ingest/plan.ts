/** The load of the ingest benchmark: every sample follows from its number, so that a ledger is a count and a resend needs no store. */
export interface Load {
  readonly group: string
  readonly edges: number
  readonly devices: number
  /** Metrics of one message; divides TAGS. */
  readonly perMessage: number
  /** Time between two samples of one tag, ms. */
  readonly periodMs: number
  /** Source time of the first sample, ms since 1970. */
  readonly baseAt: number
}

/** Tags of one device. */
export const TAGS = 100
export const PROFILE_KEY = 'ingest-block'

export const edgeName = (edge: number): string => `e${String(edge).padStart(3, '0')}`
export const deviceName = (device: number): string => `d${String(device).padStart(2, '0')}`
export const tagName = (tag: number): string => `t${String(tag).padStart(2, '0')}`

/** A third noisy two-decimal floats, a third slow integers, a third rare booleans. */
export const kindOf = (tag: number): 'float' | 'integer' | 'boolean' =>
  (['float', 'integer', 'boolean'] as const)[tag % 3] ?? 'float'

/** Number of a tag among all of the load. */
export const tagNumber = (load: Pick<Load, 'devices'>, edge: number, device: number, tag: number): number =>
  (edge * load.devices + device) * TAGS + tag

/** The value of a tag's n-th sample; booleans as 0 and 1. */
export function sampleValue(kind: ReturnType<typeof kindOf>, number: number, n: number): number {
  if (kind === 'float') return ((n * 7919 + number * 104_729) % 10_007) / 100
  if (kind === 'integer') return 128 + (Math.floor((n + number) / 64) % 1000)
  return Math.floor((n + number) / 1024) % 2
}

/** sampleValue() in SQL over the columns `kind`, `number` and `n`, for comparing all of history where it lies. */
export const VALUE_SQL = `CASE kind
  WHEN 'float' THEN ((n * 7919 + number * 104729) % 10007)::DOUBLE / 100
  WHEN 'integer' THEN (128 + ((n + number) // 64) % 1000)::DOUBLE
  ELSE (((n + number) // 1024) % 2)::DOUBLE END`

/** How many samples of each tag of a device are among the first `samples` of its edge. */
export function samplesOfTag(load: Load, samples: number, device: number, tag: number): number {
  const round = load.devices * TAGS
  const rest = samples % round
  return Math.floor(samples / round) + (rest > device * TAGS + tag ? 1 : 0)
}
