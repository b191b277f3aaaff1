import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false } as const
const Period = (fallback: number, description: string) =>
  Type.Integer({ minimum: 10, maximum: 3_600_000, default: fallback, description })

/** Section `scan` of edge.yaml: how often tags are looked at. Times in ms. */
export const ScanConfig = Type.Object(
  {
    fast: Period(200, 'Period of the scan class fast, in ms.'),
    normal: Period(1000, 'Period of the scan class normal, in ms; a tag that names no class is of this one.'),
    slow: Period(10_000, 'Period of the scan class slow, in ms.'),
    heartbeatMs: Type.Integer({
      minimum: 0,
      maximum: 86_400_000,
      default: 30_000,
      description: 'A value that does not change is reported again after this time, in ms. 0: never.',
    }),
  },
  closed,
)
export type ScanConfig = Static<typeof ScanConfig>

/** Section `retry` of edge.yaml: how a device that does not answer is tried again. */
export const RetryConfig = Type.Object(
  {
    minMs: Type.Integer({ minimum: 50, maximum: 60_000, default: 500, description: 'First pause, in ms; it doubles.' }),
    maxMs: Type.Integer({ minimum: 50, maximum: 3_600_000, default: 5000, description: 'Longest pause, in ms.' }),
  },
  closed,
)
export type RetryConfig = Static<typeof RetryConfig>

/** What applies when edge.yaml has no section `scan`. */
export const SCAN_DEFAULTS: ScanConfig = { fast: 200, normal: 1000, slow: 10_000, heartbeatMs: 30_000 }
/** What applies when edge.yaml has no section `retry`. */
export const RETRY_DEFAULTS: RetryConfig = { minMs: 500, maxMs: 5000 }
