import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '#shared/config/config-error.ts'
import { readCloudConfig } from './config.ts'

const file = (text: string) => {
  const path = join(mkdtempSync(join(tmpdir(), 'andon-config-')), 'cloud.yaml')
  writeFileSync(path, text)
  return path
}
const faults = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

describe('the configuration of the cloud', () => {
  it('reads the address of Redis', () => {
    expect(readCloudConfig({}, { REDIS_URL: 'rediss://redis:6379' }).redisUrl).toBe('rediss://redis:6379')
    expect(readCloudConfig({}, {}).redisUrl).toBeUndefined()
    expect(() => readCloudConfig({}, { REDIS_URL: 'redis:6379' })).toThrow('an address like redis://')
  })

  it('has a default for everything and is frozen', () => {
    const config = readCloudConfig({}, {})
    expect(config).toMatchObject({ httpPort: 8080, mqttPort: 1883, host: '127.0.0.1', publicUrl: undefined })
    expect(config.roles).toEqual(['broker', 'pipeline', 'web', 'worker'])
    expect(Object.isFrozen(config)).toBe(true)
  })

  it('tells the faults of file, arguments and environment at once', () => {
    const told = faults(() =>
      readCloudConfig(
        { file: file('version: 1\nseeed: x\nprofiles: 3\n'), roles: 'web,workr' },
        { ANDON_HTTP_PORT: '99999', ANDON_PUBLIC_URL: 'http://plant.example', DATABASE_URL: 'mysql://x' },
      ),
    )
    expect(told.map((f) => [f.path, f.line, f.nearest])).toEqual([
      ['seeed', 2, 'seed'],
      ['profiles', 3, undefined],
      ['roles', undefined, 'worker'],
      ['ANDON_HTTP_PORT', undefined, undefined],
      ['ANDON_PUBLIC_URL', undefined, undefined],
      ['DATABASE_URL', undefined, undefined],
    ])
  })

  it('takes paths of the file from where the file is, secrets from the environment', () => {
    const path = file('version: 1\nseed: works.yaml\n')
    const { seed } = readCloudConfig({ file: path }, { ANDON_DEMO_PASSWORD: 'p', ANDON_EDGE_SECRET: 's' })
    expect(seed).toEqual({ file: path.replace('cloud.yaml', 'works.yaml'), password: 'p', edgeSecret: 's' })
  })

  it('takes where external history is kept, with what the engine asks for', () => {
    const env = { INFLUX_URL: 'http://127.0.0.1:8428', INFLUX_TOKEN: 't', INFLUX_BUCKET: 'andon/long' }
    expect(readCloudConfig({}, env).influx).toEqual({ url: env.INFLUX_URL, token: 't', bucket: 'andon/long' })
    expect(readCloudConfig({}, {}).influx).toBeUndefined()
    expect(() => readCloudConfig({}, { INFLUX_URL: '127.0.0.1:8428' })).toThrow('INFLUX_URL')
  })

  it('takes an external MQTT broker, its credentials apart from its address', () => {
    const ca = file('-----BEGIN CERTIFICATE-----')
    const env = { MQTT_URL: 'mqtts://andon:a%2Fb@broker.example:8884', MQTT_CA: ca }
    expect(readCloudConfig({}, env).mqttBroker).toEqual({
      ...{ url: 'mqtts://broker.example:8884', username: 'andon', password: 'a/b', ca: '-----BEGIN CERTIFICATE-----' },
    })
    expect(readCloudConfig({}, {}).mqttBroker).toBeUndefined()
    expect(() => readCloudConfig({}, { MQTT_URL: 'broker.example' })).toThrow('MQTT_URL')
    expect(() => readCloudConfig({}, { ...env, MQTT_CA: '/nowhere' })).toThrow('MQTT_CA')
  })

  it('takes the TLS port, where it binds, and a certificate with its key or neither', () => {
    expect(readCloudConfig({}, {})).toMatchObject({ mqttsPort: 8883, bind: '127.0.0.1' })
    expect(readCloudConfig({}, { ANDON_MQTT_PORT: '0' }).mqttsPort).toBe(0)
    expect(readCloudConfig({}, { ANDON_BIND: '0.0.0.0', ANDON_MQTTS_PORT: '9' })).toMatchObject({
      ...{ mqttsPort: 9, bind: '0.0.0.0', host: '127.0.0.1' },
    })
    expect(() => readCloudConfig({}, { ANDON_BIND: 'plant' })).toThrow('ANDON_BIND')
    expect(() => readCloudConfig({}, { ANDON_TLS_CERT: 'a.pem' })).toThrow('ANDON_TLS_KEY')
    expect(readCloudConfig({}, { ANDON_TLS_CERT: 'a', ANDON_TLS_KEY: 'b' }).tls).toEqual({
      certFile: 'a',
      keyFile: 'b',
    })
  })

  it('takes the limits of the broker from the file, and tells one that is none', () => {
    const limits = { packetBytes: 1000 }
    expect(
      readCloudConfig({ file: file('version: 1\nmqtt: { limits: { packetBytes: 1000 } }\n') }, {}).mqttLimits,
    ).toMatchObject(limits)
    expect(() => readCloudConfig({ file: file('version: 1\nmqtt: { limits: { paketBytes: 1 } }\n') }, {})).toThrow(
      'packetBytes',
    )
  })

  it('allows a plain public URL on this machine and says what is set in vain', () => {
    expect(readCloudConfig({}, { ANDON_PUBLIC_URL: 'http://localhost:9' }).publicUrl).toBe('http://localhost:9')
    expect(readCloudConfig({}, {}).notes).toEqual([])
    expect(readCloudConfig({}, { S3_URL: 's3://x', ANDON_BIND: '0.0.0.0' }).notes).toHaveLength(2)
    const later = { S3_URL: 's3://x', SMTP_URL: 'smtp://x' }
    expect(readCloudConfig({}, later).notes).toEqual(
      Object.keys(later).map((name) => `${name} is set, but this version does not read it`),
    )
  })

  it('takes retention by class, and says that an external engine has its own', () => {
    const good = file('version: 1\nhistory:\n  retention:\n    default: { values: 90d, minutes: 2y }\n')
    const { retention, notes } = readCloudConfig({ file: good }, { INFLUX_URL: 'http://127.0.0.1:8428' })
    expect(retention).toEqual({ default: { values: '90d', minutes: '2y' } })
    expect(notes).toEqual([expect.stringMatching(/retention of its own/)])
    const bad = file(
      'version: 1\nhistory:\n  retention:\n    default: { values: 90, minuts: 2y }\n    energy: { hours: 3x }\n',
    )
    expect(faults(() => readCloudConfig({ file: bad }, {})).map((f) => [f.path, f.line])).toEqual([
      ['history.retention.default.values', 4],
      ['history.retention.default.minuts', 4],
      ['history.retention.energy.hours', 5],
    ])
  })
})
