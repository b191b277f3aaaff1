import { randomBytes, verify, X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { type EdgeTime, timeStatement } from '#shared/contracts/edge-time.ts'
import type { Log } from '#shared/log/log.ts'
import type { Redial } from '../uplink/index.ts'
import { CloudError, callCloud } from './cloud.ts'
import { connectAt, endpointOf, isDateFault, type TlsTarget } from './dated-tls.ts'
import type { GatewayTime } from './gateway-time.ts'

/** Who may tell a box the time. */
export interface TimeSource {
  /** Origin of the cloud. */
  readonly url: string
  /** SHA-256 of the root of its authority, as in the enrolment code. */
  readonly fingerprint: string
}

/** How a box whose clock is wrong still knows whom it talks to. */
export interface CloudTime {
  readonly clock: GatewayTime
  /** Asks the cloud for the time, and puts the clock right by it. @throws CloudError */
  learn(): Promise<void>
  /** For a connection that failed of dates: learns the time, and connects anew to a server of the authority. @throws CloudError or Error */
  redial(target: TlsTarget): Promise<TLSSocket>
}

export interface CloudTimeOptions {
  readonly clock: GatewayTime
  /** Undefined while this box has not enrolled. */
  readonly source: () => TimeSource | undefined
  readonly log: Log
}

/**
 * Takes time from the cloud. Whoever carries the answer need not be trusted: the authority has signed it, for a number made here
 * a moment ago, so that it cannot be another's nor an old one; who holds it back is wrong by the half of what they hold it.
 */
export function createCloudTime({ clock, source, log }: CloudTimeOptions): CloudTime {
  let asking: Promise<string> | undefined
  const ask = async () => {
    const from = source()
    if (!from) throw new CloudError('This box has not enrolled, so nobody may tell it the time', NOT_ENROLLED)
    const { at, rootPem } = await askTime(from, clock.monotonic)
    const before = clock.offsetMs
    clock.correct(at)
    if (before === 0 && clock.offsetMs !== 0) tellWrong(log, clock)
    return rootPem
  }
  /** Whoever asks meanwhile gets the same answer. */
  const learn = () => {
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking
  }
  return {
    clock,
    learn: async () => void (await learn()),
    redial: async (target) => connectAt(target, await learn(), clock.now),
  }
}

/** How often a clock that was put right is put right again: cheap quartz is 4 s off after a day. */
const EVERY_MS = 3_600_000

/** Keeps a clock right that is known to be wrong, until it is stopped. */
export function keepTime({ clock, learn }: CloudTime, log: Log): () => void {
  const look = () => {
    if (clock.offsetMs === 0) return
    void learn().catch((err) => log.warn({ err }, 'The time was not learned again'))
  }
  const timer = setInterval(look, EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/** The same for the link to the broker. */
export const brokerRedial =
  ({ redial }: CloudTime): Redial =>
  async ({ code, message }, { url, ...target }) => {
    if (!isDateFault({ code })) return undefined
    return await redial({ ...endpointOf(url, 8883), ...target }).catch((cause: Error) => {
      throw new Error(`${message}, and the clock of this box was not found to be why: ${cause.message}`, { cause })
    })
  }

const NOT_ENROLLED = { code: 'time.no-authority', status: 0 }

function tellWrong(log: Log, { offsetMs, now }: GatewayTime): void {
  const facts = { time: new Date(now()).toISOString(), offSeconds: Math.round(offsetMs / 1000) }
  log.warn(facts, 'The clock of this box is wrong: the time of the cloud is used until somebody sets it')
}

async function askTime({ url, fingerprint }: TimeSource, monotonic: () => number) {
  const nonce = randomBytes(24).toString('base64url')
  const askedAt = monotonic()
  const { text, status } = await callCloud({
    method: 'POST',
    url: `${url}/api/edge-times`,
    body: { nonce },
    takesAny: true,
  })
  const tookMs = monotonic() - askedAt
  const { at, signature, root } = JSON.parse(text) as EdgeTime
  if (!isSigned({ nonce, at, signature, root }, fingerprint)) {
    throw new CloudError(`The time of ${url} is refused: the authority of this box did not sign it`, {
      ...{ code: 'cloud.not-trusted', status },
    })
  }
  return { at: Date.parse(at) + tookMs / 2, rootPem: root }
}

function isSigned({ nonce, at, signature, root }: EdgeTime & { readonly nonce: string }, fingerprint: string): boolean {
  try {
    const authority = new X509Certificate(root)
    if (authority.fingerprint256 !== fingerprint) return false
    const statement = Buffer.from(timeStatement({ nonce, at }))
    return verify('sha256', statement, authority.publicKey, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}
