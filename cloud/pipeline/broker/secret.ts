import { createHash, createHmac, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

/** RFC 7914's interactive parameters: about 25 ms and 16 MB a check. */
const COST = { N: 16_384, r: 8, p: 1 } as const
const KEY_BYTES = 32

/**
 * Hashes an edge's secret for the table `edges`: `scrypt$N$r$p$salt$key`, salt and key in base64url. The salt follows from
 * `saltOf` where that is given, a name that no other installation has: the same secret then gives the same hash.
 */
export async function hashEdgeSecret(secret: string, saltOf?: string): Promise<string> {
  const salt = saltOf === undefined ? randomBytes(16) : createHash('sha256').update(saltOf).digest().subarray(0, 16)
  const key = await derive(secret.normalize('NFC'), salt, KEY_BYTES, COST)
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join('$')
}

/**
 * Hashes a secret that a machine made of at least 128 bits of chance: `sha256$salt$key`. Nobody guesses such a secret, so a
 * check need not be slow, and ten thousand edges that come back after a restart do not cost four minutes of CPU.
 */
export function hashGeneratedSecret(secret: string): string {
  const salt = randomBytes(16)
  return ['sha256', salt.toString('base64url'), keyed(secret, salt).toString('base64url')].join('$')
}

const keyed = (secret: string, salt: Buffer): Buffer => createHmac('sha256', salt).update(secret).digest()

/** True when the secret is the one that was hashed; false for a hash of another make. Takes the same time either way. */
export async function isEdgeSecret(secret: string, hash: string): Promise<boolean> {
  if (hash.startsWith('sha256$')) return isGeneratedSecret(secret, hash)
  const [kind, n, r, p, salt, key] = hash.split('$')
  if (kind !== 'scrypt' || !salt || !key) return false
  const expected = Buffer.from(key, 'base64url')
  const options = { N: Number(n), r: Number(r), p: Number(p) }
  const actual = await derive(secret.normalize('NFC'), Buffer.from(salt, 'base64url'), KEY_BYTES, options)
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

function isGeneratedSecret(secret: string, hash: string): boolean {
  const [, salt = '', key = ''] = hash.split('$')
  const expected = Buffer.from(key, 'base64url')
  const actual = keyed(secret, Buffer.from(salt, 'base64url'))
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

/** Checks secrets and remembers what it has proved, so that an edge that returns costs no derivation. */
export interface SecretChecker {
  /** Whether a secret fits a hash; undefined stands for an edge that nobody knows, and takes as long. */
  check(secret: string, hash: string | undefined): Promise<boolean>
  /** True when the secret was proved before, or is quickly proved. */
  isProved(secret: string, hash: string | undefined): boolean
}

/** Checks waiting at once; more are refused, so that guessing cannot fill the thread pool for ever. */
const MAX_WAITING = 256

/** Makes a checker. */
export function secretChecker(): SecretChecker {
  const proved = new Map<string, Buffer>()
  const pepper = randomBytes(32)
  const nobody = hashEdgeSecret(randomBytes(16).toString('hex'))
  const derived = atMost(MAX_WAITING, isEdgeSecret)
  const isProved = (secret: string, hash: string | undefined) => {
    if (hash === undefined) return false
    if (hash.startsWith('sha256$')) return isGeneratedSecret(secret, hash)
    const known = proved.get(hash)
    return known !== undefined && timingSafeEqual(known, keyed(secret, pepper))
  }
  return {
    isProved,
    async check(secret, hash) {
      if (hash === undefined) return (await derived(secret, await nobody)) && false
      if (isProved(secret, hash)) return true
      const isRight = await derived(secret, hash)
      if (isRight) proved.set(hash, keyed(secret, pepper))
      return isRight
    },
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
