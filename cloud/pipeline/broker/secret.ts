import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
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
