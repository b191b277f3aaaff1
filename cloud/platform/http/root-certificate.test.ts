import { X509Certificate } from 'node:crypto'
import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { makeRoot } from '../certificates/x509.ts'
import type { HttpApp } from './app.ts'
import { fingerprintOf, rootRoute } from './root-certificate.ts'

describe('the root at /ca', () => {
  it('is a certificate that a phone offers to install, with its fingerprint', async () => {
    const { certPem } = await makeRoot('Andon CA test', Date.now(), 1)
    const app = Fastify()
    rootRoute(app as unknown as HttpApp, () => certPem)
    const answer = await app.inject('/ca')
    expect(answer.headers).toMatchObject({
      'content-type': 'application/x-x509-ca-cert',
      'content-disposition': 'attachment; filename="andon-root.crt"',
      'x-andon-fingerprint': fingerprintOf(certPem),
    })
    expect(new X509Certificate(answer.body).ca).toBe(true)
    await app.close()
  })
})
