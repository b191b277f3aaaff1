import { EngineRefusal } from '../engine.ts'

/** The command line of a server, option by option. */
export type Flags = ReadonlyMap<string, string>

/** Reads the options that a server tells on its page of metrics. */
export function readFlags(metrics: string): Flags {
  const lines = metrics.matchAll(/^flag\{name="([^"]+)", ?value="((?:[^"\\]|\\.)*)"/gm)
  return new Map([...lines].map(([, name = '', value = '']) => [name, value]))
}

const HOUR_MS = 3_600_000
const UNITS: Readonly<Record<string, number>> = {
  h: HOUR_MS,
  d: 24 * HOUR_MS,
  w: 168 * HOUR_MS,
  y: 8760 * HOUR_MS,
  '': 744 * HOUR_MS,
}

/** The retention as ms; a bare number counts months of 31 days. @throws EngineRefusal for a text of another form. */
export function retentionMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([hdwy]?)$/i.exec(text)
  if (!match) throw new EngineRefusal(`VictoriaMetrics tells a retention that cannot be read: ${text}`)
  return Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? HOUR_MS)
}

interface Demand {
  readonly flag: string
  readonly fits: (value: string) => boolean
  /** Why, and what to do. */
  readonly fix: string
}

const is = (wanted: string) => (value: string) => value === wanted

const DEMANDS: readonly Demand[] = [
  {
    flag: 'dedup.minScrapeInterval',
    fits: is('1ms'),
    fix: 'start VictoriaMetrics with -dedup.minScrapeInterval=1ms: without it a value that is sent again is stored twice, and with more than 1 ms values are thrown away',
  },
  {
    flag: 'influxMeasurementFieldSeparator',
    fits: is('_'),
    fix: 'leave -influxMeasurementFieldSeparator at _: history is read under the names tag_value and tag_quality',
  },
  {
    flag: 'influxSkipMeasurement',
    fits: is('false'),
    fix: 'leave -influxSkipMeasurement out: history is read under the names tag_value and tag_quality',
  },
  {
    flag: 'influxSkipSingleField',
    fits: is('false'),
    fix: 'leave -influxSkipSingleField out: history is read under the names tag_value and tag_quality',
  },
  {
    flag: 'influxTrimTimestamp',
    fits: is('1ms'),
    fix: 'leave -influxTrimTimestamp at 1ms: coarser times make two values one',
  },
  { flag: 'precisionBits', fits: is('64'), fix: 'leave -precisionBits at 64: fewer bits change the values' },
  {
    flag: 'storage.maxHourlySeries',
    fits: is('0'),
    fix: 'leave -storage.maxHourlySeries out: beyond that number tags are dropped without a word',
  },
  {
    flag: 'storage.maxDailySeries',
    fits: is('0'),
    fix: 'leave -storage.maxDailySeries out: beyond that number tags are dropped without a word',
  },
]

/** @throws EngineRefusal that names every option under which values would be lost, doubled or changed. */
export function refuseLossyFlags(flags: Flags, address: string): void {
  const wrong = DEMANDS.filter(({ flag, fits }) => {
    const value = flags.get(flag)
    return value !== undefined && !fits(value)
  })
  if (wrong.length === 0) return
  const faults = wrong.map(({ flag, fix }) => `-${flag} is ${flags.get(flag)}; ${fix}`)
  throw new EngineRefusal(`VictoriaMetrics at ${address} is not fit for history: ${faults.join('. ')}`)
}
