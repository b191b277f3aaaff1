import { X509Certificate } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { thumbprintOf } from './trust.ts'

/** Where a certificate lies, which says what a person decided. */
export const TRUST_STATES = ['pending', 'trusted', 'rejected'] as const
export type TrustState = (typeof TRUST_STATES)[number]

/** A certificate of a server, as a person compares it. */
export interface ListedCertificate {
  /** SHA-1 in hex, as servers and OPC UA tools show it. */
  readonly thumbprint: string
  readonly state: TrustState
  readonly subject: string
  readonly issuer: string
  /** ms since 1970. */
  readonly validFrom: number
  readonly validUntil: number
}

/** There is no such certificate, or more than one that begins so. */
export class UnknownThumbprintError extends Error {
  override readonly name = 'UnknownThumbprintError'
}

/** Every server certificate that the edge has met. `directory` is `<data>/opcua`. */
export function listCertificates(directory: string): ListedCertificate[] {
  return TRUST_STATES.flatMap((state) =>
    filesIn(join(directory, state)).flatMap((file) => read(join(directory, state, file), state) ?? []),
  )
}

/**
 * Trusts or rejects a certificate by its thumbprint or the first eight or more digits of it; rejecting a trusted one ends its
 * trust. Takes effect at the next connection. Throws UnknownThumbprintError.
 */
export function decide(
  directory: string,
  thumbprint: string,
  state: Exclude<TrustState, 'pending'>,
): ListedCertificate {
  const wanted = thumbprint.toLowerCase().replaceAll(/[^0-9a-f]/g, '')
  const found = wanted.length < 8 ? [] : listCertificates(directory).filter((one) => one.thumbprint.startsWith(wanted))
  const [certificate] = found
  if (!certificate || found.some((one) => one.thumbprint !== certificate.thumbprint))
    throw new UnknownThumbprintError(`no certificate, or more than one, begins with '${thumbprint}'`)
  mkdirSync(join(directory, state), { recursive: true, mode: 0o700 })
  for (const { state: from } of found) {
    const name = `${certificate.thumbprint}.der`
    if (from !== state) renameSync(join(directory, from, name), join(directory, state, name))
  }
  return { ...certificate, state }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.der'))
      .toSorted()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** A file that holds no certificate is none. */
function read(file: string, state: TrustState): ListedCertificate | undefined {
  const der = readFileSync(file)
  try {
    const certificate = new X509Certificate(der)
    return {
      ...{ thumbprint: thumbprintOf(der), state },
      subject: certificate.subject.replaceAll('\n', ', '),
      issuer: certificate.issuer.replaceAll('\n', ', '),
      validFrom: certificate.validFromDate.getTime(),
      validUntil: certificate.validToDate.getTime(),
    }
  } catch {
    return undefined
  }
}
