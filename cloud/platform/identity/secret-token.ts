import { createHash, randomBytes } from 'node:crypto'

/** A random secret of 256 bits for a cookie, an API token or a link; only its hash is stored. */
export const newToken = (): string => randomBytes(32).toString('base64url')

/** SHA-256 is enough for a random secret: there is nothing to guess. */
export const hashToken = (token: string): Buffer => createHash('sha256').update(token).digest()
