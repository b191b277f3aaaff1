import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Reads the token of the local page, or makes it: 32 characters in a file that only its owner can read. */
export function keepToken(file: string): string {
  try {
    const kept = readFileSync(file, 'utf8').trim()
    if (kept.length >= 16) return kept
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const token = randomBytes(24).toString('base64url')
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(file, `${token}\n`, { mode: 0o600 })
  return token
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Compares in a time that tells nothing about the token. */
export const isToken = (given: string, token: string): boolean => timingSafeEqual(digest(given), digest(token))
