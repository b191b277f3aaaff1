import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigError } from '#shared/config/config-error.ts'
import { silentLog } from '#shared/log/log.ts'
import { openAuthority, ownCertificate, suppliedCertificate } from './index.ts'

const DAY_MS = 86_400_000
const NAMES = ['localhost', '127.0.0.1', '::1', 'andon.plant.example']
let dir: string
let now: number
const clock = () => now

beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'andon-certificates-')), 'certificates')
  now = Date.parse('2027-03-01T00:00:00Z')
})
afterEach(() => rmSync(join(dir, '..'), { recursive: true, force: true }))

describe('the authority', () => {
  it('makes its key once, readable by the owner alone, and leaves no other file but the root for everybody', async () => {
    const first = await openAuthority({ dir, clock })
    const again = await openAuthority({ dir, clock })
    expect(again.fingerprint).toBe(first.fingerprint)
    expect(statSync(join(dir, 'ca.pem')).mode & 0o777).toBe(0o600)
    expect(statSync(dir).mode & 0o777).toBe(0o700)
    expect(statSync(join(dir, 'root.pem')).mode & 0o777).toBe(0o644)
    expect(readdirSync(dir).sort()).toEqual(['ca.pem', 'root.pem'])
  })

  it('hands out its root without the key, also where an older version kept none or the key is another', async () => {
    const first = await openAuthority({ dir, clock })
    const rootFile = join(dir, 'root.pem')
    expect(readFileSync(rootFile, 'utf8')).toBe(first.rootPem)
    expect(first.rootPem).not.toContain('PRIVATE KEY')
    rmSync(rootFile)
    await openAuthority({ dir, clock })
    expect(readFileSync(rootFile, 'utf8')).toBe(first.rootPem)
    rmSync(join(dir, 'ca.pem'))
    const second = await openAuthority({ dir, clock })
    expect(readFileSync(rootFile, 'utf8')).toBe(second.rootPem)
    expect(second.rootPem).not.toBe(first.rootPem)
  })

  it('is one, however many open it at once', async () => {
    const all = await Promise.all([1, 2, 3].map(() => openAuthority({ dir, clock })))
    expect(new Set(all.map(({ fingerprint }) => fingerprint)).size).toBe(1)
  })

  it('may sign certificates, for twenty years', async () => {
    const root = new X509Certificate((await openAuthority({ dir, clock })).rootPem)
    expect(root.ca).toBe(true)
    expect(root.verify(root.publicKey)).toBe(true)
    expect(Date.parse(root.validTo) - now).toBe(20 * 365 * DAY_MS)
  })

  it('tells a key file that nobody can use, and what to do', async () => {
    await openAuthority({ dir, clock })
    writeFileSync(join(dir, 'ca.pem'), 'half a fi')
    await expect(openAuthority({ dir, clock })).rejects.toThrow(/ca\.pem cannot be used; restore it/)
  })

  it('signs servers under their names and addresses', async () => {
    const authority = await openAuthority({ dir, clock })
    const issued = await authority.issueServer(NAMES)
    const certificate = new X509Certificate(issued.certPem)
    expect(certificate.verify(new X509Certificate(authority.rootPem).publicKey)).toBe(true)
    expect(certificate.ca).toBe(false)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(certificate.checkHost('andon.plant.example')).toBe('andon.plant.example')
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
    expect(certificate.checkIP('::1')).toBe('::1')
    expect(certificate.checkHost('elsewhere.example')).toBeUndefined()
  })

  it('signs clients under a URI, each with a serial number of its own', async () => {
    const authority = await openAuthority({ dir, clock })
    const uri = 'urn:example:box:plant/line%201'
    const [one, two] = [await authority.issueClient(uri), await authority.issueClient(uri)]
    const certificate = new X509Certificate(one.certPem)
    expect(certificate.subjectAltName).toBe(`URI:${uri}`)
    expect(certificate.serialNumber).toBe(one.serial)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(two.serial).not.toBe(one.serial)
    expect(one.notAfter.getTime()).toBe(Date.parse(certificate.validTo))
  })

  it('signs a key that was made elsewhere without ever seeing its private half', async () => {
    const authority = await openAuthority({ dir, clock })
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const issued = await authority.issueClient('urn:example:box:a/b', publicKey)
    expect(issued.keyPem).toBeUndefined()
    expect(new X509Certificate(issued.certPem).checkPrivateKey(privateKey)).toBe(true)
  })
})

describe('the server certificate', () => {
  const own = async (names = NAMES) =>
    await ownCertificate({ authority: await openAuthority({ dir, clock }), dir, names, clock, log: silentLog })
  const serialOf = ({ cert }: { cert: string }) => new X509Certificate(cert).serialNumber

  it('is kept over a restart', async () => {
    const [first, again] = [await own(), await own()]
    expect(serialOf(again.current())).toBe(serialOf(first.current()))
    expect(statSync(join(dir, 'server.pem')).mode & 0o777).toBe(0o600)
  })

  it('is made anew for other names, for another root and after half a write', async () => {
    const first = serialOf((await own()).current())
    const second = serialOf((await own([...NAMES, 'other.example'])).current())
    rmSync(join(dir, 'ca.pem'))
    const third = serialOf((await own([...NAMES, 'other.example'])).current())
    writeFileSync(join(dir, 'server.pem'), readFileSync(join(dir, 'server.pem'), 'utf8').slice(0, 300))
    const fourth = serialOf((await own([...NAMES, 'other.example'])).current())
    expect(new Set([first, second, third, fourth]).size).toBe(4)
  })

  it('is renewed when a third of its life is left, and whoever uses it is told', async () => {
    const certificate = await own()
    const heard: string[] = []
    certificate.onChange((next) => void heard.push(serialOf(next)))
    const first = serialOf(certificate.current())
    now += 260 * DAY_MS
    await certificate.check()
    expect(serialOf(certificate.current())).toBe(first)
    now += 10 * DAY_MS
    await certificate.check()
    expect(heard).toEqual([serialOf(certificate.current())])
    expect(heard).not.toContain(first)
  })

  it('of the operator is read again when its files change; broken ones change nothing', async () => {
    const authority = await openAuthority({ dir, clock })
    const [certFile, keyFile] = [join(dir, 'own.crt'), join(dir, 'own.key')]
    const write = async (at: number) => {
      const { certPem, keyPem } = await authority.issueServer(['own.example'])
      writeFileSync(certFile, certPem)
      writeFileSync(keyFile, keyPem ?? '')
      for (const file of [certFile, keyFile]) utimesSync(file, at, at)
    }
    await write(1000)
    const certificate = suppliedCertificate(certFile, keyFile, silentLog)
    const first = serialOf(certificate.current())
    await write(2000)
    await certificate.check()
    const second = serialOf(certificate.current())
    expect(second).not.toBe(first)
    writeFileSync(certFile, 'broken')
    await certificate.check()
    expect(serialOf(certificate.current())).toBe(second)
  })

  it('of the operator that cannot be used is refused under the name of its setting', async () => {
    const authority = await openAuthority({ dir, clock })
    const [certFile, keyFile] = [join(dir, 'own.crt'), join(dir, 'own.key')]
    writeFileSync(certFile, (await authority.issueServer(['a'])).certPem)
    writeFileSync(keyFile, (await authority.issueServer(['a'])).keyPem ?? '')
    expect(() => suppliedCertificate(join(dir, 'none'), keyFile, silentLog)).toThrow(ConfigError)
    expect(() => suppliedCertificate(join(dir, 'none'), keyFile, silentLog)).toThrow(/ANDON_TLS_CERT/)
    expect(() => suppliedCertificate(certFile, keyFile, silentLog)).toThrow(
      /ANDON_TLS_KEY.*the key of the certificate/s,
    )
  })
})
