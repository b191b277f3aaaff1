import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { DirectoryInUse } from '../refusal.ts'

/** Held by one process for one directory; the kernel releases it when the process dies, however it dies. */
export interface DataLock {
  release(): void
}

/** A killed process holds its lock for the moments that the kernel takes to end it. */
const PATIENCE_MS = 1_500

/**
 * Takes the directory for this process. Node has no file lock of its own, so an exclusive SQLite transaction holds one.
 * Throws DirectoryInUse when another process has it and keeps it.
 */
export function lockDirectory(directory: string): DataLock {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const file = join(directory, 'lock')
  const isNew = !existsSync(file)
  const db = new DatabaseSync(file, { timeout: PATIENCE_MS })
  try {
    if (isNew) chmodSync(file, 0o600)
    db.exec('begin exclusive')
  } catch (error) {
    db.close()
    throw new DirectoryInUse(
      `Another Andon process works in ${directory}. Stop it first, or give this one another ANDON_DATA.`,
      { cause: error },
    )
  }
  return { release: () => db.close() }
}
