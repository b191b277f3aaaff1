import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(argon2)

/** OWASP's first recommendation for argon2id: 19 MiB, 2 passes, 1 lane; about 40 ms. */
const COST = { memory: 19_456, passes: 2, parallelism: 1 } as const
const SALT_BYTES = 16
const KEY_BYTES = 32

/** Hashes a password in the PHC form `$argon2id$v=19$m=…,t=…,p=…$salt$key`. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const key = await keyOf(password, salt, COST)
  const cost = `m=${COST.memory},t=${COST.passes},p=${COST.parallelism}`
  return `$argon2id$v=19$${cost}$${base64(salt)}$${base64(key)}`
}

/** True when the password is the one that was hashed. Without a hash it takes the same time and answers false. */
export async function isPassword(password: string, hash: string | null): Promise<boolean> {
  const form = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/.exec(hash ?? '')
  if (!form) {
    await keyOf(password, randomBytes(SALT_BYTES), COST)
    return false
  }
  const [, memory, passes, parallelism, salt = '', expected = ''] = form
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) }
  const key = await keyOf(password, Buffer.from(salt, 'base64'), cost)
  const wanted = Buffer.from(expected, 'base64')
  return key.length === wanted.length && timingSafeEqual(key, wanted)
}

interface Cost {
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
}

function keyOf(password: string, nonce: Buffer, cost: Cost): Promise<Buffer> {
  return derive('argon2id', { message: password.normalize('NFC'), nonce, tagLength: KEY_BYTES, ...cost })
}

/** PHC strings leave the padding out. */
const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
