import type { Authority } from '#cloud/platform/certificates/index.ts'
import { type EdgeTime, type EdgeTimeRequest, timeStatement } from '#shared/contracts/edge-time.ts'

/** The time, signed for the box that asked: it judges certificates by it when its own clock is wrong. */
export function signedTime(authority: Authority, { nonce }: EdgeTimeRequest, now: number): EdgeTime {
  const at = new Date(now).toISOString()
  return { at, signature: authority.sign(timeStatement({ nonce, at })), root: authority.rootPem }
}
