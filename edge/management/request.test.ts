import { spawnSync } from 'node:child_process'
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { requestedKey } from '#cloud/platform/certificates/index.ts'
import { hasPackage } from '#tests/support/debian.ts'
import { makeRequest } from './request.ts'

const spkiOf = (key: ReturnType<typeof createPublicKey>) => key.export({ type: 'spki', format: 'der' })

describe('a signing request of a box', () => {
  it('is one that the authority takes, for the key that was made with it', async () => {
    const { keyPem, csrPem, keyFingerprint } = makeRequest()
    const asked = await requestedKey(csrPem)
    const own = createPublicKey(createPrivateKey(keyPem))
    expect(asked && spkiOf(asked)).toEqual(spkiOf(own))
    expect(createHash('sha256').update(spkiOf(own)).digest('hex')).toContain(keyFingerprint)
    expect(makeRequest().keyFingerprint).not.toBe(keyFingerprint)
  })

  it('is refused when a byte of it was changed', async () => {
    const { csrPem } = makeRequest()
    const bytes = Buffer.from(csrPem.replace(/-----.*-----/g, ''), 'base64')
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    const changed = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
    expect(await requestedKey(changed)).toBeUndefined()
    expect(await requestedKey('nonsense')).toBeUndefined()
  })

  it.skipIf(!hasPackage('openssl'))('is read by OpenSSL too', () => {
    const { csrPem } = makeRequest()
    const read = spawnSync('openssl', ['req', '-noout', '-verify', '-subject'], { input: csrPem, encoding: 'utf8' })
    expect([read.status, read.stdout]).toEqual([0, expect.stringMatching(/CN ?= ?andon edge/)])
  })
})
