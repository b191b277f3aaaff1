import { createHmac, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

/** RFC 7914's interactive parameters: about 25 ms and 16 MB a check. */
const COST = { N: 16_384, r: 8, p: 1 } as const
const KEY_BYTES = 32

/** Hashes an edge's secret for the table `edges`: `scrypt$N$r$p$salt$key`, salt and key in base64url. */
export async function hashEdgeSecret(secret: string): Promise<string> {
  const salt = randomBytes(16)
  const key = await derive(secret.normalize('NFC'), salt, KEY_BYTES, COST)
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join('$')
}

/** True when the secret is the one that was hashed; false for a hash of another make. Takes the same time either way. */
export async function isEdgeSecret(secret: string, hash: string): Promise<boolean> {
  const [kind, n, r, p, salt, key] = hash.split('$')
  if (kind !== 'scrypt' || !salt || !key) return false
  const expected = Buffer.from(key, 'base64url')
  const options = { N: Number(n), r: Number(r), p: Number(p) }
  const actual = await derive(secret.normalize('NFC'), Buffer.from(salt, 'base64url'), KEY_BYTES, options)
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

/** Answers whether a secret fits a hash; undefined stands for an edge that nobody knows, and takes as long. */
export type CheckSecret = (secret: string, hash: string | undefined) => Promise<boolean>

/** Checks waiting at once; more are refused, so that guessing cannot fill the thread pool for ever. */
const MAX_WAITING = 256

/** Makes a checker that remembers what it has proved, so that many edges that return at once cost one derivation each. */
export function secretChecker(): CheckSecret {
  const proved = new Map<string, Buffer>()
  const pepper = randomBytes(32)
  const nobody = hashEdgeSecret(randomBytes(16).toString('hex'))
  const check = atMost(MAX_WAITING, isEdgeSecret)
  return async (secret, hash) => {
    if (hash === undefined) return (await check(secret, await nobody)) && false
    const digest = createHmac('sha256', pepper).update(secret).digest()
    const known = proved.get(hash)
    if (known && timingSafeEqual(known, digest)) return true
    const isRight = await check(secret, hash)
    if (isRight) proved.set(hash, digest)
    return isRight
  }
}

/** Refuses calls beyond a number under way. */
function atMost(limit: number, check: typeof isEdgeSecret): typeof isEdgeSecret {
  let waiting = 0
  return async (secret, hash) => {
    if (waiting >= limit) throw new Error('Too many clients are signing in; try again')
    waiting += 1
    try {
      return await check(secret, hash)
    } finally {
      waiting -= 1
    }
  }
}
