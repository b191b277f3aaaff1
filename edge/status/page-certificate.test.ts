import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, describe, expect, it } from 'vitest'
import { keepPageCertificate, pageNames } from './page-certificate.ts'
import { startStatusServer } from './server.ts'
import { plantSources, TOKEN } from './testing/plant.ts'

const DAY_MS = 86_400_000
const dir = mkdtempSync(join(tmpdir(), 'andon-page-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
let files = 0
const fresh = () => join(dir, `certificate-${files++}.pem`)
const names = ['box-7', '10.1.2.3', 'fe80::1:0:0:2', '127.0.0.1']

describe('the certificate of the local page', () => {
  it('is made for the names of the box, for a server, and for no more than phones take', () => {
    const file = fresh()
    const now = Date.now()
    const { certPem, fingerprint } = keepPageCertificate({ file, names, now })
    const certificate = new X509Certificate(certPem)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect([certificate.ca, certificate.keyUsage]).toEqual([false, ['1.3.6.1.5.5.7.3.1']])
    expect(certificate.checkHost('box-7')).toBe('box-7')
    expect(names.slice(1).map((ip) => certificate.checkIP(ip))).toEqual(names.slice(1))
    expect(certificate.checkIP('10.1.2.4')).toBeUndefined()
    expect(certificate.validToDate.getTime() - certificate.validFromDate.getTime()).toBe(825 * DAY_MS)
    expect(fingerprint).toBe(certificate.fingerprint256)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('stays the same while it is good, and is made anew when it grows old, lies before the clock or was damaged', () => {
    const file = fresh()
    const at = (now: number) => keepPageCertificate({ file, names, now }).fingerprint
    const now = Date.now()
    const first = at(now)
    expect([at(now + 540 * DAY_MS), at(now - DAY_MS / 2)]).toEqual([first, first])
    const second = at(now + 560 * DAY_MS)
    const third = at(now)
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 300))
    expect(new Set([first, second, third, at(now)]).size).toBe(4)
  })

  it('is what the page shows on every interface, to whoever trusts it and nobody else', async () => {
    const tls = keepPageCertificate({ file: fresh(), names: pageNames('0.0.0.0'), now: Date.now() })
    const sources = { ...plantSources(), pageFingerprint: tls.fingerprint }
    const server = await startStatusServer({ sources, port: 0, token: TOKEN, bind: { host: '0.0.0.0', tls } })
    const ask = (ca?: string) =>
      new Promise<string>((resolve, reject) => {
        const headers = { authorization: `Bearer ${TOKEN}` }
        const asked = request({ host: '127.0.0.1', port: server.port, path: '/', headers, ...(ca && { ca }) })
        asked.on('error', reject)
        asked.on('response', async (answer) => resolve(await text(answer)))
        asked.end()
      })
    await expect(ask()).rejects.toThrow(/self-signed/)
    expect(await ask(tls.certPem)).toContain(tls.fingerprint)
    expect(new URL(server.url).protocol).toBe('https:')
    await server.close()
  })
})
