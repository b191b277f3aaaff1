import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { Log } from '#shared/log/log.ts'
import type { CloudConfig } from './config.ts'
import {
  type Authority,
  openAuthority,
  ownCertificate,
  type ServerCertificate,
  suppliedCertificate,
} from './platform/certificates/index.ts'

/** What the ports with TLS stand on. */
export interface Tls {
  /** Signs edges and, unless the operator brings one, the server certificate. */
  readonly authority: Authority
  readonly certificate: ServerCertificate
}

type TlsConfig = Pick<CloudConfig, 'dataDir' | 'bind' | 'publicUrl' | 'tls'>

/** Opens the installation's authority and the server certificate. @throws ConfigError when the operator's own cannot be used. */
export async function openTls(config: TlsConfig, clock: () => number, log: Log): Promise<Tls> {
  const dir = join(config.dataDir, 'certificates')
  const authority = await openAuthority({ dir, clock })
  const certificate = config.tls
    ? suppliedCertificate(config.tls.certFile, config.tls.keyFile, log)
    : await ownCertificate({ authority, dir, names: serverNames(config), clock, log })
  return { authority, certificate }
}

/** Every name under which a client may find this machine: its own, the public one, and the addresses it listens on. */
function serverNames({ bind, publicUrl }: TlsConfig): string[] {
  const isEvery = bind === '0.0.0.0' || bind === '::'
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const addresses = isEvery ? all.filter(({ scopeid }) => !scopeid).map(({ address }) => address) : [bind]
  const name = publicUrl && new URL(publicUrl).hostname.replace(/^\[|\]$/g, '')
  return [...new Set([...(name ? [name] : []), 'localhost', '127.0.0.1', '::1', hostname(), ...addresses])]
}
