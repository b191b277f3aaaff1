import { connect } from 'node:net'
import { type LossKind, NotConnectedError } from '../driver.ts'

const KINDS: readonly (readonly [RegExp, LossKind])[] = [
  [/ECONNREFUSED/, 'refused'],
  [/ENOTFOUND|EAI_AGAIN/, 'unknown-host'],
  [/EHOSTUNREACH|ENETUNREACH/, 'unreachable'],
  [/BadIdentityToken|BadUserAccessDenied|BadUserSignature/, 'credentials'],
  [/BadCertificateTimeInvalid|BadCertificateIssuerTimeInvalid/, 'certificate-time'],
  [/BadCertificate|BadSecurityChecksFailed/, 'untrusted'],
  [/ETIMEDOUT|BadTimeout|transaction has timed out|did not answer within/, 'connect-timeout'],
  [/BadTcp|invalid message|ParserError/, 'not-the-protocol'],
]

/** What is behind an error of the OPC UA library, which tells most of them by its message alone. */
export interface Loss {
  readonly kind: LossKind
  readonly why: string
}

/** Reads the kind from the error itself. */
export function lossOf(error: Error): Loss {
  const text = `${error.message} ${(error as NodeJS.ErrnoException).code ?? ''}`
  return { kind: KINDS.find(([pattern]) => pattern.test(text))?.[1] ?? 'other', why: error.message }
}

/** As lossOf; where the library hides why it could not connect, the port itself is tried once, which tells. */
export async function diagnose(error: Error, url: string, timeoutMs: number): Promise<Loss> {
  if (error instanceof NotConnectedError) return { kind: error.kind, why: error.message }
  const loss = lossOf(error)
  if (loss.kind !== 'other') return loss
  const { hostname, port } = new URL(url.replace('opc.tcp:', 'http:'))
  const refused = await tryPort(hostname, Number(port || 4840), timeoutMs)
  return refused ? lossOf(refused) : loss
}

function tryPort(host: string, port: number, timeoutMs: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs })
    const end = (error?: Error) => {
      socket.destroy()
      resolve(error)
    }
    socket.once('connect', () => end())
    socket.once('error', end)
    socket.once('timeout', () => end(new Error(`It did not answer within ${timeoutMs} ms`)))
  })
}
