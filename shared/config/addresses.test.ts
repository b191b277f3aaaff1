import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Type } from 'typebox'
import { afterAll, describe, expect, it } from 'vitest'
import { Host, ServiceUrl, withAddress } from '#shared/contracts/address.ts'
import { endpointText, yamlAddresses } from './addresses.ts'
import { ConfigError } from './config-error.ts'
import { parseYaml } from './yaml.ts'

const folder = mkdtempSync(join(tmpdir(), 'andon-addresses-'))
afterAll(() => rmSync(folder, { recursive: true }))

const closed = { additionalProperties: false } as const
const Port = Type.Integer({ minimum: 1, maximum: 65_535, default: 502 })
const Link = withAddress(Type.Object({ host: Host({ description: 'Who.' }), port: Port }, closed), 'connect')
const Place = withAddress(
  Type.Object({ host: Host({ description: 'Where.', default: '127.0.0.1' }), port: Port }, closed),
  'listen',
)
const File = Type.Object(
  {
    broker: Type.Optional(ServiceUrl(['mqtt', 'mqtts'], 'Broker.')),
    links: Type.Array(Type.Object({ link: Type.Optional(Link), place: Type.Optional(Place) }, closed), { default: [] }),
  },
  closed,
)

const found = (text: string) => {
  const file = join(folder, 'file.yaml')
  writeFileSync(file, text)
  return yamlAddresses(file, File).map(({ use, host, port, hostAt, portAt }) => [
    use,
    endpointText(host, port),
    `${hostAt.line}:${hostAt.path}`,
    `${portAt.line}:${portAt.path}`,
  ])
}

const refuses = (text: string) => {
  try {
    parseYaml(text, 'file.yaml', File)
    return false
  } catch (error) {
    if (error instanceof ConfigError) return true
    throw error
  }
}

describe('the addresses of a file', () => {
  it('are found with the lines of host and port, also where a default stands in', () => {
    expect(
      found(`broker: mqtts://user@[fe80::1]/path
links:
  - link:
      host: plc-7
      port: 5020
  - link: { host: 10.0.0.5 }
  - place: { port: 1502 }
`),
    ).toEqual([
      ['connect', '[fe80::1]:8883', '1:broker', '1:broker'],
      ['connect', 'plc-7:5020', '4:links[0].link.host', '5:links[0].link.port'],
      ['connect', '10.0.0.5:502', '6:links[1].link.host', '6:links[1].link.port'],
      ['listen', '127.0.0.1:1502', '7:links[2].place.host', '7:links[2].place.port'],
    ])
  })

  it('are found beside faults of the file, but not where they are faulty themselves', () => {
    expect(
      found(`borker: mqtt://x
broker: mqtt://x:99999
links:
  - { link: { host: good, unit: 1 }, strange: 1 }
  - { link: { host: 'bad host' } }
  - { link: { host: h, port: many } }
  - { link: { host: h, prot: 503 } }
  - { link: nothing }
`).map(([, endpoint]) => endpoint),
    ).toEqual(['good:502'])
  })
})

describe('a host', () => {
  it.each(['plc-7', 'a.b.c.', 'plc_1.works.invalid', '设备1.local', '10.0.0.255', '::1', 'fe80::1%eth0', '3com.com'])(
    'may be written as %s',
    (host) => expect(refuses(`links: [{ link: { host: '${host}' } }]`)).toBe(false),
  )

  it.each([
    '',
    'two words',
    '10.0.0.256',
    '10.0.0',
    '-plc',
    'a..b',
    'host:502',
    'mqtt://x',
    'a/b',
    '1:2',
    'x'.repeat(64),
  ])('is not %j', (host) => expect(refuses(`links: [{ link: { host: '${host}' } }]`)).toBe(true))
})

describe('the address of a service', () => {
  it.each(['mqtt://broker', 'mqtts://10.0.0.2:8883', 'mqtt://[::1]:1883', 'mqtt://a:b@broker:1/x'])(
    'may be written as %s',
    (url) => expect(refuses(`broker: '${url}'`)).toBe(false),
  )

  it.each([
    'http://broker',
    'mqtt://',
    'mqtt://broker:0',
    'mqtt://broker:65536',
    'mqtt://10.0.0.300',
    'mqtt://%zz',
    'broker:1883',
  ])('is not %j', (url) => {
    expect(refuses(`broker: '${url}'`)).toBe(true)
    expect(found(`broker: '${url}'`)).toEqual([])
  })
})
