import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { isToken } from './token.ts'

/** Who asks: nobody known, a program with the token, or a person who signed in with it. */
export type Visitor =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'bearer' }
  | { readonly kind: 'person'; readonly csrf: string }

export interface DoorOptions {
  readonly token: string
  /** Name of the cookie; cookies know no ports, so that it ends in the port. */
  readonly cookie: string
  readonly isSecure: boolean
  /** Monotonic clock, ms. */
  readonly now: () => number
}

/** Knows the token, who is signed in, and who tries too often. */
export interface Door {
  /** Who asks. A wrong bearer token counts as a try of `from`. */
  visitor(headers: IncomingHttpHeaders, from: string): Visitor
  /** The cookie of a new session; undefined for a wrong token, which counts as a try. */
  signIn(token: string, from: string): string | undefined
  /** Ends the session; the cookie that takes the old one away. */
  signOut(headers: IncomingHttpHeaders): string
  /** Seconds until `from` may try again; 0: now. */
  waitSeconds(from: string): number
}

/** So many wrong tries are free, then one in so many ms. */
const FREE_TRIES = 10
const NEXT_TRY_MS = 10_000
const MOST_ADDRESSES = 1000
/** A session ends when nobody uses it for this long. */
const IDLE_MS = 12 * 3_600_000
const MOST_SESSIONS = 100

interface Session {
  readonly csrf: string
  usedAt: number
}

/** Sessions live in memory: whoever restarts the agent signs everybody out. */
export function createDoor({ token, cookie, isSecure, now }: DoorOptions): Door {
  const sessions = new Map<string, Session>()
  const tries = createTries(now)
  const attributes = `HttpOnly; SameSite=Strict; Path=/${isSecure ? '; Secure' : ''}`
  const known = (headers: IncomingHttpHeaders): Session | undefined => {
    const session = sessions.get(cookieOf(headers, cookie) ?? '')
    if (!session || now() - session.usedAt > IDLE_MS) return undefined
    session.usedAt = now()
    return session
  }
  const isRight = (given: string, from: string) => {
    if (tries.waitMs(from) > 0) return false
    if (isToken(given, token)) return true
    tries.count(from)
    return false
  }
  return {
    visitor(headers, from) {
      const bearer = headers.authorization?.startsWith('Bearer ') ? headers.authorization.slice(7) : undefined
      if (bearer !== undefined) return { kind: isRight(bearer, from) ? 'bearer' : 'nobody' }
      const session = known(headers)
      return session ? { kind: 'person', csrf: session.csrf } : { kind: 'nobody' }
    },
    signIn(given, from) {
      if (!isRight(given, from)) return undefined
      const id = randomBytes(24).toString('base64url')
      forgetOldest(sessions, MOST_SESSIONS - 1)
      sessions.set(id, { csrf: randomBytes(18).toString('base64url'), usedAt: now() })
      return `${cookie}=${id}; ${attributes}`
    },
    signOut(headers) {
      sessions.delete(cookieOf(headers, cookie) ?? '')
      return `${cookie}=; ${attributes}; Max-Age=0`
    },
    waitSeconds: (from) => Math.ceil(tries.waitMs(from) / 1000),
  }
}

/** The value of a cookie. */
export function cookieOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const pair = headers.cookie?.split(/;\s*/).find((part) => part.startsWith(`${name}=`))
  return pair?.slice(name.length + 1)
}

function forgetOldest(map: Map<string, unknown>, most: number): void {
  for (const key of [...map.keys()].slice(0, Math.max(0, map.size - most))) map.delete(key)
}

/** Wrong tries by address; each is forgotten after its time. */
function createTries(now: () => number) {
  const freeAt = new Map<string, number>()
  const waitMs = (from: string) => Math.max(0, (freeAt.get(from) ?? 0) - now() - (FREE_TRIES - 1) * NEXT_TRY_MS)
  return {
    waitMs,
    count(from: string) {
      const at = Math.max(freeAt.get(from) ?? 0, now()) + NEXT_TRY_MS
      freeAt.delete(from)
      forgetOldest(freeAt, MOST_ADDRESSES - 1)
      freeAt.set(from, at)
    },
  }
}
