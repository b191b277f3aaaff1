import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crypto_utils } from 'node-opcua'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import type { Protocol } from '../driver.ts'
import { opcua } from './index.ts'
import { Device } from './testing/device.ts'
import { startServer, TAGS } from './testing/server.ts'
import { judge } from './trust.ts'
import { decide, listCertificates, UnknownThumbprintError } from './trust-list.ts'

const DAY_MS = 86_400_000
const root = mkdtempSync(join(tmpdir(), 'andon-opcua-trust-'))
let protocol: Protocol
beforeAll(() => {
  protocol = opcua.start({ now: Date.now, log: silentLog, dataDir: join(root, 'edge') })
})
afterAll(async () => {
  await protocol.close()
  rmSync(root, { recursive: true })
})

/** A key and a certificate signed by itself, from some day on for some days. */
async function makeCertificate(name: string, notBefore: Date, validity: number) {
  const { privateKey } = await crypto_utils.generateKeyPair(2048)
  const { privPem } = await crypto_utils.privateKeyToPEM(privateKey)
  const { cert } = await crypto_utils.createSelfSignedCertificate({
    ...{ privateKey, notBefore, validity, subject: `CN=${name}`, dns: ['localhost'] },
    applicationUri: 'urn:andon:test',
    purpose: crypto_utils.CertificatePurpose.ForApplication,
  })
  const files = { certificateFile: join(root, `${name}.pem`), privateKeyFile: join(root, `${name}.key`) }
  writeFileSync(files.certificateFile, cert)
  writeFileSync(files.privateKeyFile, privPem)
  return { ...files, der: crypto_utils.convertPEMtoDER(cert) as Buffer }
}

describe('the certificate of a server that has expired', () => {
  it('is not accepted, told with its date as a matter of time, and put nowhere to be trusted', async () => {
    const { certificateFile, privateKeyFile } = await makeCertificate('old', new Date(Date.now() - 20 * DAY_MS), 10)
    const server = await startServer({ pki: join(root, 'server'), certificateFile, privateKeyFile })
    const device = new Device(protocol, { url: server.url, trust: 'accept-first' })
    const expired = { kind: 'certificate-time', message: expect.stringMatching(/its certificate expired on 2/) }
    await expect(device.connect()).rejects.toMatchObject(expired)
    expect(listCertificates(join(root, 'edge', 'opcua'))).toEqual([])
    await device.stop()
    await server.stop()
  })
})

describe('the certificate of the edge that has expired', () => {
  it('is told before anything is sent, with what to do', async () => {
    const own = join(root, 'edge', 'opcua', 'own', 'certificate.pem')
    const kept = readFileSync(own)
    writeFileSync(
      own,
      readFileSync((await makeCertificate('own', new Date(Date.now() - 20 * DAY_MS), 10)).certificateFile),
    )
    const device = new Device(protocol, { url: 'opc.tcp://127.0.0.1:1' })
    const expired = { kind: 'certificate-time', message: expect.stringContaining('remove the file to have a new one') }
    const connecting = device.connect().finally(() => writeFileSync(own, kept))
    await expect(connecting).rejects.toMatchObject(expired)
    await device.stop()
  })
})

describe('the certificates of a link', () => {
  it('tell when they expire, for the page and the metrics', async () => {
    const { certificateFile, privateKeyFile } = await makeCertificate('soon', new Date(Date.now() - DAY_MS), 11)
    const server = await startServer({ pki: join(root, 'server'), certificateFile, privateKeyFile })
    const device = new Device(protocol, { url: server.url, trust: 'accept-first' })
    await device.connect()
    const until = protocol.lanes().find(({ isOpen }) => isOpen)?.certificatesUntil
    expect(Math.abs((until?.server ?? 0) - Date.now() - 10 * DAY_MS)).toBeLessThan(DAY_MS / 2)
    expect(until?.own).toBeGreaterThan(Date.now() + 3600 * DAY_MS)
    device.subscribe({ recipe: TAGS.recipe })
    await device.waitFor(() => device.last('recipe') !== undefined)
    await device.stop()
    await server.stop()
  })
})

describe('the list of certificates', () => {
  it('trusts and rejects by thumbprint or its beginning, and what was rejected stays refused', async () => {
    const directory = join(root, 'list')
    const { der } = await makeCertificate('press', new Date(), 10)
    const options = { directory, url: 'opc.tcp://press', mode: 'listed' as const, now: Date.now() + 1000 }
    expect(judge(der, options)).toMatchObject({ isTrusted: false, kind: 'untrusted' })
    const [pending] = listCertificates(directory)
    expect(pending).toMatchObject({ state: 'pending', subject: 'CN=press' })
    const thumbprint = pending?.thumbprint ?? ''
    decide(directory, thumbprint.slice(0, 8).toUpperCase(), 'trusted')
    expect(judge(der, options)).toMatchObject({ isTrusted: true })
    decide(directory, thumbprint.match(/../g)?.join(':') ?? '', 'rejected')
    expect(judge(der, { ...options, mode: 'accept-first' })).toMatchObject({ reason: /rejected by a person/ })
    expect(listCertificates(directory).map(({ state }) => state)).toEqual(['rejected'])
    expect(readdirSync(join(directory, 'pending'))).toEqual([])
    expect(() => decide(directory, 'ab', 'trusted')).toThrow(UnknownThumbprintError)
  })

  it('trusts the bytes of a file, not its name', async () => {
    const directory = join(root, 'names')
    const [one, other] = [await makeCertificate('one', new Date(), 10), await makeCertificate('other', new Date(), 10)]
    const options = { directory, url: 'opc.tcp://x', mode: 'listed' as const, now: Date.now() + 1000 }
    judge(one.der, options)
    const [{ thumbprint } = { thumbprint: '' }] = listCertificates(directory)
    decide(directory, thumbprint, 'trusted')
    writeFileSync(join(directory, 'trusted', `${thumbprint}.der`), other.der)
    expect(judge(one.der, options)).toMatchObject({ isTrusted: false })
  })
})
