import { createHash, webcrypto } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import 'reflect-metadata'
import { X509CertificateGenerator } from '@peculiar/x509'
import { afterEach, describe, expect, it } from 'vitest'
import { modbus } from '#edge/drivers/modbus/index.ts'
import { scriptedServer } from '#edge/drivers/modbus/testing/scripted-server.ts'
import { loadProfile } from '#shared/config/profile.ts'
import { silentLog } from '#shared/log/log.ts'
import { startStatusServer } from './server.ts'
import { plantSources, profile, TOKEN } from './testing/plant.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** The page of an edge with one device on the wire, and a program that holds its token. */
async function plant() {
  const device = await scriptedServer()
  closers.push(() => device.close())
  const data = mkdtempSync(join(tmpdir(), 'andon-tools-'))
  closers.push(() => rmSync(data, { recursive: true }))
  const protocol = modbus.start({ now: Date.now, log: silentLog, dataDir: data })
  const config = { host: '127.0.0.1', port: device.port, unit: 1, timeoutMs: 500, connectTimeoutMs: 1000 }
  const driver = protocol.createDriver({ device: 'press-1', profile, config })
  closers.push(async () => {
    await driver.close()
    await protocol.close()
  })
  await driver.connect(AbortSignal.timeout(5000))
  const sources = { ...plantSources(), data, drivers: new Map([['press-1', driver]]) }
  const server = await startStatusServer({ sources, port: 0, token: TOKEN })
  closers.push(() => server.close())
  const headers = { authorization: `Bearer ${TOKEN}` }
  const textOf = async (path: string, init: RequestInit) => {
    const answer = await fetch(server.url + path, { headers, ...init })
    return (await answer.text()).replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ')
  }
  return {
    device,
    data,
    url: server.url,
    upload: (csv: string, action: 'check' | 'import') => {
      const body = new FormData()
      body.set('do', action)
      body.set('file', new Blob([csv]), 'tags.csv')
      return textOf('devices/press-1/tags', { method: 'POST', body })
    },
    get: (path: string) => textOf(path, {}),
    post: (path: string, fields: Record<string, string>) =>
      textOf(path, { method: 'POST', body: new URLSearchParams(fields) }),
  }
}

async function serverCertificate(): Promise<Buffer> {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const options = { name: 'CN=Test server', keys, signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } }
  const certificate = await X509CertificateGenerator.createSelfSigned(options, webcrypto as Crypto)
  return Buffer.from(certificate.rawData)
}

describe('the tools of the local page', () => {
  it('read one address over the link that is there', async () => {
    const { device, post } = await plant()
    device.registers.set(100, 0x42f6).set(101, 0xe979)
    const text = await post('devices/press-1/test-read', { address: 'holding:100', type: 'float32', order: 'ABCD' })
    expect(text).toContain('123.456')
    expect(text).toContain('42f6 e979')
    expect(device.connections()).toBe(1)
  })

  it('say what is wrong with an address, and what the device refuses', async () => {
    const { device, post } = await plant()
    expect(await post('devices/press-1/test-read', { address: 'register 7', type: 'uint16' })).toContain('register 7')
    expect(await post('devices/press-1/test-read', { address: 'holding:1', scale: 'ten' })).toContain(
      'scale: &#39;ten&#39; is no number',
    )
    device.script = ({ transaction }) => {
      const frame = Buffer.from('000000000003018302', 'hex')
      frame.writeUInt16BE(transaction, 0)
      return frame
    }
    expect(await post('devices/press-1/test-read', { address: 'holding:1' })).toContain('no such address (exception 2)')
  })

  it('tell what registers mean, the most likely first, and by what the display shows', async () => {
    const { get } = await plant()
    expect(await get('tools/byte-order?registers=42f6%20e979')).toMatch(/scale (uint32|float32) .*123\.456/)
    expect(await get('tools/byte-order?registers=02ff&shows=76.7')).toContain('× 0.1 = 76.7')
    expect(await get('tools/byte-order?registers=xyz')).toContain('Write one to eight registers')
    expect(await get('tools/byte-order?registers=02ff&shows=warm')).toContain('must be a number')
  })

  it('ask a device for its SunSpec models', async () => {
    const { device, post } = await plant()
    expect(await post('devices/press-1/sunspec', {})).toContain('There is no marker')
    const model = [0x5375, 0x6e53, 1, 66, ...Array.from({ length: 66 }, () => 0x4142), 0xffff, 0]
    for (const [i, register] of model.entries()) device.registers.set(40_000 + i, register)
    expect(await post('devices/press-1/sunspec', {})).toContain('models 1 (40000)')
  })

  it('take tags as CSV, checked first, as the next version of the profile for the next start', async () => {
    const { data, url, upload } = await plant()
    const exported = await fetch(`${url}devices/press-1/tags.csv`, { headers: { authorization: `Bearer ${TOKEN}` } })
    const csv = Buffer.from(await exported.arrayBuffer()).toString('utf8')
    const kept = join(data, 'profiles', 'press.yaml')
    expect(await upload(csv.replace('int16', 'int17'), 'import')).toContain('Nothing was changed')
    expect(await upload(csv.replace('holding:1,', 'holding:2,'), 'check')).toContain('The file is right')
    expect(existsSync(kept)).toBe(false)
    expect(await upload(csv.replace('holding:1,', 'holding:2,'), 'import')).toContain('changed 1: count')
    const read = loadProfile(kept)
    expect([read.version, read.tags[1]?.address, read.tags[0]?.name['zh-CN']]).toEqual([2, 'holding:2', '油温'])
  })

  it('trust a server by its thumbprint, and reject it again', async () => {
    const { data, get, post } = await plant()
    const der = await serverCertificate()
    const thumbprint = createHash('sha1').update(der).digest('hex')
    mkdirSync(join(data, 'opcua', 'pending'), { recursive: true })
    writeFileSync(join(data, 'opcua', 'pending', `${thumbprint}.der`), der)
    expect(await get('certificates')).toContain('waits for a decision')
    await post('certificates', { thumbprint, state: 'trusted' })
    expect(await get('certificates')).toMatch(/ trusted CN=Test server/)
    await post('certificates', { thumbprint, state: 'rejected' })
    expect(await get('certificates')).toContain('rejected')
    expect(await post('certificates', { thumbprint: 'ffffffff', state: 'trusted' })).toContain('no certificate')
  })
})
