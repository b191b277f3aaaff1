/** What an external engine keeps of history; the embedded one keeps everything. */
export interface HistoryEngine {
  readonly name: 'victoria-metrics' | 'influxdb-1' | 'influxdb-2' | 'influxdb-3'
  /** As the server tells it. */
  readonly version: string
  /** False where the contract tests do not run against it. */
  readonly isTested: boolean
  readonly keepsText: boolean
  /** All digits of integers beyond 2^53. */
  readonly keepsWide: boolean
  /** Digits of a number that come back as they were; 17 is all of a double. */
  readonly significantDigits: number
  /** Older values are dropped by the engine; null keeps for ever. */
  readonly retentionMs: number | null
}
