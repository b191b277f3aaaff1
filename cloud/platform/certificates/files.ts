import { chmodSync, closeSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Writes a secret, readable by its owner alone, so that after a crash the old file stands or the new one, never half of it. */
export function replaceSecret(file: string, text: string): void {
  const made = written(file, text)
  renameSync(made, file)
  syncFolder(file)
}

/** As replaceSecret(), for what everybody may read. */
export function replacePublic(file: string, text: string): void {
  const made = written(file, text)
  chmodSync(made, 0o644)
  renameSync(made, file)
  syncFolder(file)
}

/** As replaceSecret(), but leaves a file that is there already, as when two processes start at once. */
export function createSecret(file: string, text: string): void {
  const made = written(file, text)
  try {
    linkSync(made, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(made, { force: true })
  }
  syncFolder(file)
}

function written(file: string, text: string): string {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const made = join(dirname(file), `.${basename(file)}.${process.pid}`)
  rmSync(made, { force: true })
  const handle = openSync(made, 'wx', 0o600)
  try {
    writeSync(handle, text)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  return made
}

function syncFolder(file: string): void {
  const folder = openSync(dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
