import { describe, expect, it } from 'vitest'
import { durationMs } from '../influxdb/engine.ts'
import { readFlags, refuseLossyFlags, retentionMs } from './checks.ts'

const PAGE = `vm_app_version{version="victoria-metrics-1.79.5", short_version="v1.79.5"} 1
flag{name="dedup.minScrapeInterval", value="1ms", is_set="true"} 1
flag{name="retentionPeriod", value="100y", is_set="true"} 1
flag{name="precisionBits", value="64", is_set="false"} 1
flag{name="http.pathPrefix", value="a\\"b", is_set="true"} 1
`

describe('the options of a VictoriaMetrics', () => {
  it('are read from its page of metrics', () => {
    const flags = readFlags(PAGE)
    expect(flags.get('retentionPeriod')).toBe('100y')
    expect(flags.get('http.pathPrefix')).toBe('a\\"b')
    expect(() => refuseLossyFlags(flags, 'http://vm')).not.toThrow()
  })

  it('are refused together when they lose, double or change values', () => {
    const flags = new Map([...readFlags(PAGE), ['dedup.minScrapeInterval', '30s'], ['precisionBits', '12']])
    expect(() => refuseLossyFlags(flags, 'http://vm')).toThrow(
      /^VictoriaMetrics at http:\/\/vm is not fit for history: -dedup.minScrapeInterval is 30s; .*-precisionBits is 12;/,
    )
  })
})

describe('a retention', () => {
  it('is told in months, hours, days, weeks or years, or by InfluxDB as Go does', () => {
    const day = 86_400_000
    expect(['1', '36h', '30d', '2w', '1y'].map(retentionMs)).toEqual([
      31 * day,
      1.5 * day,
      30 * day,
      14 * day,
      365 * day,
    ])
    expect(() => retentionMs('long')).toThrow('cannot be read: long')
    expect(['0s', '168h0m0s', '1h30m0s'].map(durationMs)).toEqual([null, 7 * day, 5_400_000])
  })
})
