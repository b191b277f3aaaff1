import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const MB = 1024 * 1024

/** Free space of the disk that holds a directory, in bytes, for an ordinary user. */
export function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

/** A reserve file: it is given up first on a full disk, so that gap records and the acknowledgement can still be written. */
export interface Ballast {
  /** Removes it; false when it was gone already. */
  drop(): boolean
  /** Puts it back when the disk has room for it and `spareBytes` more. */
  restore(spareBytes: number): void
}

/** The ballast of a journal's directory. */
export function ballastOf(directory: string, sizeMb: number): Ballast {
  const path = join(directory, 'ballast')
  return {
    drop: () => {
      if (!existsSync(path)) return false
      rmSync(path)
      return true
    },
    restore: (spareBytes) => {
      if (sizeMb === 0 || existsSync(path)) return
      if (freeBytes(directory) < sizeMb * MB + spareBytes) return
      fill(path, sizeMb)
    },
  }
}

function fill(path: string, sizeMb: number): void {
  const handle = openSync(path, 'w', 0o600)
  try {
    const block = Buffer.alloc(MB)
    for (let i = 0; i < sizeMb; i++) writeSync(handle, block)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
