import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { CloudFile } from '#cloud/config.ts'
import { EdgeFile } from '#edge/config.ts'
import { ConfigError, type Fault } from '#shared/config/config-error.ts'
import { topLevelKeys } from '#shared/config/yaml.ts'
import { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { OrganisationSeed } from '#shared/contracts/organisation-seed.ts'
import { Plant } from '#shared/contracts/plant.ts'
import { judgeFile, KINDS, kindOf } from './kinds.ts'

const shipped = (path: string) => fileURLToPath(new URL(`../../devices/${path}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'andon-check-'))

function written(name: string, text: string): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

async function faultsOf(file: string): Promise<readonly Fault[]> {
  try {
    return (await judgeFile(file)).faults
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

const EDGE = `version: 1
group: works
edge: line-1
mqtt: { url: "mqtt://127.0.0.1:1883" }
devices:
  - { device: pump, profile: energy-meter, modbus: { host: 127.0.0.1, port: 5020, unit: 1 } }
`

describe('andon check', () => {
  it.each([
    ['profiles/screw-compressor.yaml', 'device profile'],
    ['plants/module-factory.yaml', 'plant'],
    ['plants/module-factory.organisation.yaml', 'organisation'],
  ])('knows %s as a good %s', async (path, kind) => {
    expect(await judgeFile(shipped(path))).toMatchObject({ kind, faults: [] })
  })

  it('knows an edge and a cloud file', async () => {
    expect(await judgeFile(written('edge.yaml', EDGE))).toMatchObject({ kind: 'edge', faults: [] })
    expect(await judgeFile(written('cloud.yaml', 'version: 1\nlog: info\n'))).toMatchObject({
      kind: 'cloud',
      faults: [],
      addresses: [],
    })
  })

  it('tells every fault of an edge file at once', async () => {
    const faults = await faultsOf(
      written('bad.yaml', EDGE.replace('group: works', 'gruop: works').replace('5020', 'x')),
    )
    expect(faults.map((f) => [f.path, f.nearest])).toEqual(
      expect.arrayContaining([
        ['gruop', 'group'],
        ['devices[0].modbus.port', undefined],
      ]),
    )
  })

  it('tells names of a plant that exist nowhere, with the nearest', async () => {
    const text = `version: 1
plant: small
name: { en: Small, zh-CN: 小 }
profiles: ${shipped('profiles')}
recordings: ${shipped('recordings')}
devices:
  - device: meter-1
    profile: energy-metre
    modbus: { port: 0, unit: 1 }
    machine: { model: energy-meter }
  - device: compressor-1
    profile: screw-compressor
    modbus: { port: 0, unit: 2 }
    machine: { model: compressor }
    replay:
      time: { column: timestamp, unit: datetime }
      columns: { motor-temprature: value }
      start: failing
      clips:
        failing: { file: nab/machine_temperature.csv }
stories:
  - story: fail
    steps:
      - { step: trip, when: { device: compresor-1, tag: state, above: 1 }, do: [{ device: compressor-1, play: faling }] }
`
    expect((await faultsOf(written('plant.yaml', text))).map((f) => [f.line, f.path, f.nearest])).toEqual([
      [8, 'devices[0].profile', 'energy-meter'],
      [14, 'devices[1].machine.model', undefined],
      [17, 'devices[1].replay.columns.motor-temprature', 'motor-temperature'],
      [20, 'devices[1].replay.clips.failing.file', undefined],
      [24, 'stories[0].steps[0].when.device', 'compressor-1'],
      [24, 'stories[0].steps[0].do[0].play', 'failing'],
    ])
  })

  it('tells people and departments of an organisation that are not there', async () => {
    const text = `version: 1
organisation: { key: works, name: { en: Works, zh-CN: 厂 }, timeZone: Asia/Shanghai }
edges: [{ group: works, edge: line-1, name: Line 1 }]
departments: [{ department: shop, name: { en: Shop, zh-CN: 车间 } }]
people: [{ person: li-min, name: Li, department: shpo, roles: [] }]
assets: [{ asset: A, kind: site, name: { en: A, zh-CN: 甲 }, owner: li-ming }]
schedules: []
`
    const faults = await faultsOf(written('organisation.yaml', text))
    expect(faults.map((f) => [f.path, f.nearest])).toEqual([
      ['people[0].department', 'shop'],
      ['assets[0].owner', 'li-min'],
    ])
  })

  it.each([
    ['device profile', DeviceProfile],
    ['plant', Plant],
    ['edge', EdgeFile],
    ['organisation', OrganisationSeed],
    ['cloud', CloudFile],
  ])('knows the kind %s by the keys of its schema', (name, schema) => {
    const { properties, required = [] } = schema as unknown as {
      properties: Record<string, { default?: unknown }>
      required?: string[]
    }
    const needed = required.filter((key) => properties[key]?.default === undefined)
    const kind = KINDS.find((k) => k.name === name)
    expect(kind?.required.toSorted()).toEqual(needed.toSorted())
    expect(kind?.optional.toSorted()).toEqual(
      Object.keys(properties)
        .filter((key) => !needed.includes(key))
        .toSorted(),
    )
  })

  it.each([
    ['cloud', 'version: 1\nmqtt: { limits: { connections: 5 } }\n'],
    ['cloud', 'version: 1\nlog: info\nprofile: ./profiles\n'],
    ['cloud', 'version: 1\n'],
    ['edge', EDGE.replace('mqtt:', 'mqt:')],
    ['device profile', 'profile: pump\n'],
  ])('takes a file for one of the kind %s that has most of its keys, or misspells one: %j', (kind, text) => {
    expect(kindOf(topLevelKeys(text))?.name).toBe(kind)
  })

  it('says that a file is no Andon file', async () => {
    expect(await faultsOf(written('other.yaml', 'colour: red\n'))).toMatchObject([{ found: 'none of its keys' }])
    const chart = 'version: 3\nservices: {}\nvolumes: {}\nnetworks: {}\nsecrets: {}\n'
    expect(await faultsOf(written('compose.yaml', chart))).toMatchObject([{ found: 'none of its keys' }])
    expect(await faultsOf(join(folder, 'missing.yaml'))).toMatchObject([{ found: 'no such file' }])
  })
})
