import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ConfigError, type Fault } from '#shared/config/config-error.ts'
import { checkEdgeFile, loadEdgeConfig } from './config.ts'

const root = mkdtempSync(join(tmpdir(), 'andon-edge-config-'))
afterAll(() => rmSync(root, { recursive: true }))

const PROFILE = `profile: meter
version: 1
name: { en: Meter, zh-CN: 电表 }
assetClass: meter
protocol: modbus
tags:
  - { tag: power, name: { en: Power, zh-CN: 功率 }, address: "holding:0", type: int16, unit: kW }
`
const EDGE = `version: 1
group: plant
edge: line-1
profiles: ./profiles
mqtt: { url: "mqtt://127.0.0.1:1883" }
devices:
  - device: meter-1
    profile: meter
    modbus: { host: 10.0.0.5 }
`

mkdirSync(join(root, 'profiles'))
writeFileSync(join(root, 'profiles', 'meter.yaml'), PROFILE)
/** How a file names an environment variable. */
const REFERENCE = ['$', '{BROKER}'].join('')
let files = 0
function fileOf(text: string): string {
  files++
  const file = join(root, `edge-${files}.yaml`)
  writeFileSync(file, text)
  return file
}

function faultsOf(text: string, env: Record<string, string> = {}): readonly Fault[] {
  try {
    loadEdgeConfig(fileOf(text), env)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

describe('an edge.yaml without faults', () => {
  it('has its defaults, absolute paths and its profiles', () => {
    const config = loadEdgeConfig(fileOf(EDGE), {})
    expect(config.scan).toEqual({ fast: 200, normal: 1000, slow: 10_000, heartbeatMs: 30_000 })
    expect(config.status.port).toBe(8090)
    expect(config.data).toBe(join(root, 'edge-data'))
    expect(config.devices[0]?.modbus).toEqual({
      host: '10.0.0.5',
      port: 502,
      unit: 1,
      timeoutMs: 1000,
      connectTimeoutMs: 3000,
    })
    expect([...config.profiles.keys()]).toEqual(['meter'])
  })

  it('takes the broker’s password from the environment, by name, or from a file', () => {
    const secret = { ANDON_EDGE_SECRET: 'from-env', BROKER: 'by-name' }
    expect(loadEdgeConfig(fileOf(EDGE), secret).mqtt.password).toBe('from-env')
    const named = EDGE.replace('1883" }', `1883", password: "${REFERENCE}" }`)
    expect(loadEdgeConfig(fileOf(named), secret).mqtt.password).toBe('by-name')
    writeFileSync(join(root, 'secret'), 'from-file\n')
    const filed = EDGE.replace('1883" }', '1883", passwordFile: ./secret }')
    expect(loadEdgeConfig(fileOf(filed), secret).mqtt).toMatchObject({ password: 'from-file' })
  })

  it('finds the files of its TLS connection beside itself, wherever it is started', () => {
    writeFileSync(join(root, 'root.pem'), 'a root')
    const secured = EDGE.replace('mqtt://127.0.0.1:1883" }', 'mqtts://andon.plant:8883", caFile: ./root.pem }')
    expect(loadEdgeConfig(fileOf(secured), {}).mqtt.caFile).toBe(join(root, 'root.pem'))
  })

  it('lets ANDON_EDGE_PORT move the local page', () => {
    expect(loadEdgeConfig(fileOf(EDGE), { ANDON_EDGE_PORT: '0' }).status.port).toBe(0)
  })

  it('keeps the local page on loopback unless ANDON_BIND names an address', () => {
    const bindOf = (env: Record<string, string>) => loadEdgeConfig(fileOf(EDGE), env).status.bind
    expect([bindOf({}), bindOf({ ANDON_BIND: 'localhost' })]).toEqual(['127.0.0.1', '127.0.0.1'])
    expect([bindOf({ ANDON_BIND: '0.0.0.0' }), bindOf({ ANDON_BIND: '::' })]).toEqual(['0.0.0.0', '::'])
    expect(faultsOf(EDGE, { ANDON_BIND: 'plant' })[0]).toMatchObject({ path: 'ANDON_BIND' })
  })
})

describe('the faults of an edge.yaml', () => {
  it('are told all at once, with line and nearest name', () => {
    const faults = faultsOf(`version: 1
group: Plant One
edge: line-1
profiles: ./profiles
mqtt: { url: "http://x", usrname: me }
scan: { fast: 5 }
devices:
  - { device: a, profile: meter, modbus: { host: x, prot: 502 } }
`)
    expect(faults.map(({ line, path, nearest }) => [line, path, nearest])).toEqual([
      [2, 'group', undefined],
      [5, 'mqtt.url', undefined],
      [5, 'mqtt.usrname', 'username'],
      [6, 'scan.fast', undefined],
      [8, 'devices[0].modbus.prot', 'port'],
    ])
  })

  it('name the profile that was probably meant, a device named twice and the wrong protocol', () => {
    const faults = faultsOf(`${EDGE}  - { device: meter-1, profile: metre, modbus: { host: x } }
  - { device: c, profile: meter, opcua: { url: "opc.tcp://x:4840" } }
`)
    expect(faults.map(({ path, nearest }) => [path, nearest])).toEqual([
      ['devices[1].device', undefined],
      ['devices[1].profile', 'meter'],
      ['devices[2]', undefined],
      ['devices[2].opcua', undefined],
    ])
  })

  it('include those of the profiles that it names', () => {
    mkdirSync(join(root, 'broken'))
    writeFileSync(join(root, 'broken', 'meter.yaml'), PROFILE.replace('holding:0', '40001').replace('int16', 'int17'))
    const faults = faultsOf(EDGE.replace('./profiles', './broken'))
    expect(faults.map(({ file, path }) => [file, path])).toEqual([[join(root, 'broken', 'meter.yaml'), 'tags[0].type']])
  })

  it('name each file of the TLS connection that is not there', () => {
    const secured = EDGE.replace('mqtt://127.0.0.1:1883" }', 'mqtts://x:8883", caFile: ./no.pem, keyFile: ./no.key }')
    expect(faultsOf(secured)).toMatchObject([
      { line: 5, path: 'mqtt.caFile', found: "'./no.pem' (ENOENT)" },
      { line: 5, path: 'mqtt.keyFile', found: "'./no.key' (ENOENT)" },
    ])
  })

  it('name the environment variable that is missing or wrong', () => {
    const named = EDGE.replace('1883" }', `1883", password: "${REFERENCE}" }`)
    expect(faultsOf(named)[0]).toMatchObject({ path: 'mqtt.password', expected: 'the environment variable BROKER' })
    expect(faultsOf(EDGE, { ANDON_EDGE_PORT: 'http' })[0]).toMatchObject({ path: 'ANDON_EDGE_PORT' })
  })

  it('are found without the environment by the check alone', () => {
    expect(checkEdgeFile(fileOf(EDGE.replace('1883" }', `1883", password: "${REFERENCE}" }`))).config.edge).toBe(
      'line-1',
    )
  })
})

describe('a profile that was imported on the local page', () => {
  const imported = (version: number) => {
    const data = `imported-${version}`
    mkdirSync(join(root, data, 'profiles'), { recursive: true })
    const text = PROFILE.replace('version: 1', `version: ${version}`).replace('unit: kW', 'unit: W')
    writeFileSync(join(root, data, 'profiles', 'meter.yaml'), text)
    const { profiles, imports } = loadEdgeConfig(fileOf(EDGE.replace('devices:', `data: ./${data}\ndevices:`)), {})
    return [profiles.get('meter')?.tags[0]?.unit, imports.map(({ profile, at }) => [profile.version, at > 0])]
  }

  it('counts while its version is the higher one', () => {
    expect(imported(2)).toEqual(['W', [[2, true]]])
    expect(imported(1)).toEqual(['kW', []])
  })

  it('is checked as any other', () => {
    mkdirSync(join(root, 'broken', 'profiles'), { recursive: true })
    writeFileSync(join(root, 'broken', 'profiles', 'meter.yaml'), PROFILE.replace('int16', 'int17'))
    const faults = faultsOf(EDGE.replace('devices:', 'data: ./broken\ndevices:'))
    expect(faults).toMatchObject([{ file: join(root, 'broken', 'profiles', 'meter.yaml'), path: 'tags[0].type' }])
  })
})
