import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { NotConnectedError } from '../driver.ts'
import type { makeCertificate, OwnCertificate } from './connection.ts'
import { outOfTime } from './trust.ts'

/** The edge's own certificate in `own/` of a directory; made at first use, with a key that only its owner can read. */
export async function keepCertificate(directory: string, make: typeof makeCertificate): Promise<OwnCertificate> {
  const folder = join(directory, 'own')
  const own = {
    certificateFile: join(folder, 'certificate.pem'),
    privateKeyFile: join(folder, 'key.pem'),
    applicationUri: `urn:${hostname()}:andon:edge`,
  }
  if (existsSync(own.certificateFile) && existsSync(own.privateKeyFile)) return own
  const { certificate, privateKey } = await make(own.applicationUri)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(own.privateKeyFile, privateKey, { mode: 0o600 })
  // Renamed into place last: a certificate that is there is whole and has its key.
  writeFileSync(`${own.certificateFile}.new`, certificate)
  renameSync(`${own.certificateFile}.new`, own.certificateFile)
  return own
}

/** When the edge's own certificate expires, ms since 1970. Throws NotConnectedError with the way out when it has. */
export function checkOwn({ certificateFile }: OwnCertificate, now: number): number {
  const certificate = new X509Certificate(readFileSync(certificateFile))
  const wrong = outOfTime(`the edge's own certificate ${certificateFile}`, certificate, now)
  if (wrong === undefined) return certificate.validToDate.getTime()
  const next = 'remove the file to have a new one made, and let the server trust that one'
  throw new NotConnectedError('certificate-time', `${wrong}: ${next}`)
}
