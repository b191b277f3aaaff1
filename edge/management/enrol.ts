import { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { EdgeEnrolled } from '#shared/contracts/edge-certificate.ts'
import { readEnrolmentCode } from '#shared/contracts/enrolment-code.ts'
import { type Log, silentLog } from '#shared/log/log.ts'
import { checkEdgeFile } from '../config.ts'
import { CloudError, callCloud } from './cloud.ts'
import { type CloudTime, createCloudTime, type TimeSource } from './cloud-time.ts'
import { replaceFile } from './files.ts'
import { createGatewayTime, type SystemClock } from './gateway-time.ts'
import { answerFault, identityFiles, keepIdentity } from './identity.ts'
import { makeRequest } from './request.ts'

export interface EnrolOptions {
  /** Address of the cloud, `https://host:8443`. */
  readonly cloud: string
  readonly code: string
  /** edge.yaml; written when it is not there. */
  readonly file: string
  /** The machine's clock unless told. */
  readonly clock?: SystemClock
  readonly log?: Log
}

/** What a person at the box is told. */
export interface Enrolment {
  readonly group: string
  readonly edge: string
  readonly expiresAt: Date
  readonly identityFile: string
  /** True when edge.yaml was written. */
  readonly isWritten: boolean
  /** What of an edge.yaml that was there already does not fit. */
  readonly notes: readonly string[]
}

/**
 * Enrols this box: makes its key, finds the cloud behind the address to be the one that gave the code, and keeps the certificate.
 * @throws CloudError, or ConfigError when edge.yaml is there and has faults.
 */
export async function enrolEdge({ cloud, code, file, ...given }: EnrolOptions): Promise<Enrolment> {
  const read = readEnrolmentCode(code)
  if (!read) throw refusedCode()
  const present = existsSync(file) ? checkEdgeFile(file).config : undefined
  const origin = new URL(cloud).origin
  const roots = await rootBehind(origin, read.fingerprint)
  const { keyPem, csrPem } = makeRequest()
  const { redial } = timeOf(given, { url: origin, fingerprint: read.fingerprint })
  const { text } = await callCloud({
    ...{ method: 'POST', url: `${origin}/api/edge-enrolments`, roots, redial },
    body: { code: code.trim(), csr: csrPem },
  })
  const answer = JSON.parse(text) as EdgeEnrolled
  const fault = answerFault(answer, keyPem, read.fingerprint)
  if (fault)
    throw new CloudError(`The answer of ${origin} is refused: ${fault}`, { code: 'cloud.not-trusted', status: 0 })
  const data = resolve(dirname(resolve(file)), present?.data ?? './edge-data')
  keepIdentity(data, keyPem, answer, origin)
  const url = brokerUrl(answer, origin)
  if (!present) replaceFile(resolve(file), firstFile(answer, url), 0o644)
  const expiresAt = new Date(new X509Certificate(answer.certificate).validTo)
  const { group, edge } = answer
  const notes = present ? misfits(present, answer, url) : []
  return { group, edge, expiresAt, identityFile: identityFiles(data).identity, isWritten: !present, notes }
}

/** A box is often enrolled before anybody has set its clock; the code tells who may say the time. */
function timeOf(
  { clock = SYSTEM, log = silentLog }: Pick<EnrolOptions, 'clock' | 'log'>,
  source: TimeSource,
): CloudTime {
  return createCloudTime({ clock: createGatewayTime(clock), source: () => source, log })
}

const SYSTEM: SystemClock = { now: Date.now, monotonic: () => performance.now() }

const refusedCode = () =>
  new CloudError('This is no enrolment code: copy the whole line that the console shows', {
    code: 'enrolment-code.form',
    status: 0,
  })

/**
 * The root that the cloud gives, when it is the one of the code. A cloud with a certificate of a public authority gives none,
 * and is known by that. Whoever else answers is refused before the code is told to anybody.
 */
async function rootBehind(origin: string, fingerprint: string): Promise<string[]> {
  const given = await callCloud({ method: 'GET', url: `${origin}/ca`, takesAny: true }).catch((error: CloudError) => {
    if (error.code === 'ca.other-authority') return undefined
    throw error
  })
  if (!given) return []
  const found = fingerprintIn(given.text)
  if (found === fingerprint) return [given.text]
  const words = `${origin} is not the cloud that made this code: its authority is ${found ?? 'none'}, expected ${fingerprint}. Check the address; somebody may stand between`
  throw new CloudError(words, { code: 'cloud.not-trusted', status: 0 })
}

function fingerprintIn(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).fingerprint256
  } catch {
    return undefined
  }
}

function brokerUrl({ broker }: EdgeEnrolled, origin: string): string {
  if (broker.url !== null) return broker.url.replace(/\/\/[^/@]*@/, '//')
  return `mqtts://${new URL(origin).hostname}:${broker.port}`
}

const firstFile = (
  { group, edge }: EdgeEnrolled,
  url: string,
) => `# Written by andon edge enroll. Devices may be added here or from the console.
version: 1
group: ${JSON.stringify(group)}
edge: ${JSON.stringify(edge)}
data: ./edge-data
mqtt:
  url: ${url}
devices: []
`

function misfits(
  present: ReturnType<typeof checkEdgeFile>['config'],
  { group, edge }: EdgeEnrolled,
  url: string,
): string[] {
  const wanted = { group, edge, 'mqtt.url': url }
  const found = { group: present.group, edge: present.edge, 'mqtt.url': present.mqtt.url }
  return (Object.keys(wanted) as (keyof typeof wanted)[])
    .filter((key) => wanted[key] !== found[key])
    .map((key) => `${key} is '${found[key]}'; set it to '${wanted[key]}'`)
}
