import { X509Certificate } from 'node:crypto'
import { DomainError } from '../errors.ts'
import type { HttpApp } from './app.ts'

/**
 * `GET /ca`: the root of the installation's own authority in PEM, for phones to install and for edges as `caFile`. Everybody
 * may have it: it is public by its nature, and whoever needs it cannot sign in yet. 404 where another authority is to be trusted.
 */
export function rootRoute(app: HttpApp, root: () => string | undefined): void {
  app.get('/ca', { config: { access: 'public' }, schema: { hide: true } }, (_request, reply) => {
    const pem = root()
    if (pem === undefined) {
      const words =
        "Nothing here is signed by the installation's own authority: trust the one that signed ANDON_TLS_CERT, or that of the broker behind MQTT_URL"
      throw new DomainError('not-found', 'ca.other-authority', words)
    }
    return reply
      .type('application/x-x509-ca-cert')
      .header('content-disposition', 'attachment; filename="andon-root.crt"')
      .header('cache-control', 'no-cache')
      .header('x-andon-fingerprint', fingerprintOf(pem))
      .send(pem)
  })
}

/** SHA-256 over a certificate in PEM, hexadecimal with colons, as phones and browsers show it. */
export const fingerprintOf = (pem: string): string => new X509Certificate(pem).fingerprint256
