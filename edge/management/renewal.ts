import { createHash, createPrivateKey, sign, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { type EdgeEnrolled, renewalStatement } from '#shared/contracts/edge-certificate.ts'
import type { Log } from '#shared/log/log.ts'
import { type Call, CloudError, callCloud } from './cloud.ts'
import { replaceFile } from './files.ts'
import { answerFault, type Identity, keepIdentity, readIdentity } from './identity.ts'
import { makeRequest } from './request.ts'

/** Where a renewal stands. */
export type RenewalState = 'not-due' | 'renewed' | 'waits-for-confirmation' | 'failed'

/** True from two thirds of a certificate's life on. */
export function isRenewalDue(
  { validFrom, validTo }: Pick<X509Certificate, 'validFrom' | 'validTo'>,
  now: number,
): boolean {
  const [from, until] = [Date.parse(validFrom), Date.parse(validTo)]
  return now >= from + ((until - from) * 2) / 3
}

export interface RenewalOptions {
  /** The data directory of the edge. */
  readonly data: string
  /** ms since 1970 */
  readonly now: () => number
  readonly log: Log
  readonly redial?: Call['redial']
  /** Hears how each look ended. */
  readonly onState?: (state: RenewalState) => void
}

/**
 * Asks for the next certificate when it is time. The request is kept until it is answered, so that a person confirms one key and
 * not a new one each hour. Never throws: the present certificate stays in use, and the log says why.
 */
export async function renewWhenDue({ data, now, log, redial }: RenewalOptions): Promise<RenewalState> {
  try {
    const identity = readIdentity(data)
    if (!identity || !isRenewalDue(identity.certificate, now())) return 'not-due'
    return await renew(data, identity, { log, redial })
  } catch (error) {
    const step =
      error instanceof CloudError && error.code === 'certificate.revoked' ? 'enrol this box anew' : 'it is tried again'
    log.warn({ err: error }, `The certificate was not renewed; ${step}`)
    return 'failed'
  }
}

async function renew(
  data: string,
  identity: Identity,
  { log, redial }: Pick<RenewalOptions, 'log' | 'redial'>,
): Promise<RenewalState> {
  const { place, rootPem, certPem, keyPem } = identity
  const next = keptRequest(identity)
  const signed = { csr: next.csrPem, certificate: certPem }
  const signature = sign('sha256', Buffer.from(renewalStatement(signed)), createPrivateKey(keyPem)).toString('base64')
  const { status, text } = await callCloud({
    ...{ method: 'POST', url: `${place.url}/api/edge-certificate-renewals`, roots: [rootPem], redial },
    body: { ...signed, signature },
  })
  if (status === 202) {
    log.warn({ key: next.keyFingerprint }, 'The certificate is over: a person must confirm the next one in the console')
    return 'waits-for-confirmation'
  }
  const answer = JSON.parse(text) as EdgeEnrolled
  const fault = answerFault(answer, next.keyPem, new X509Certificate(rootPem).fingerprint256)
  if (fault) throw new CloudError(`The answer is refused: ${fault}`, { code: 'cloud.not-trusted', status })
  keepIdentity(data, next.keyPem, answer, place.url)
  rmSync(requestFile(identity), { force: true })
  log.info({ until: new X509Certificate(answer.certificate).validTo }, 'The certificate was renewed')
  return 'renewed'
}

const requestFile = ({ files }: Identity): string => `${files.identity}.next`

interface KeptRequest {
  readonly keyPem: string
  readonly csrPem: string
  readonly keyFingerprint: string
  /** The certificate that it follows. */
  readonly after: string
}

function keptRequest(identity: Identity): KeptRequest {
  const file = requestFile(identity)
  const after = createHash('sha256').update(identity.certPem).digest('hex')
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as KeptRequest) : undefined
  if (kept?.after === after) return kept
  const made = { ...makeRequest(), after }
  replaceFile(file, JSON.stringify(made))
  return made
}

/** How often it is looked whether a renewal is due. */
const EVERY_MS = 3_600_000

/** Looks after the certificate until it is stopped; the first time at once. */
export function keepCertificate(options: RenewalOptions, everyMs = EVERY_MS): () => Promise<void> {
  const look = async () => options.onState?.(await renewWhenDue(options))
  let running = look()
  const timer = setInterval(() => {
    running = running.then(look)
  }, everyMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await running
  }
}
