import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseRefusal } from '../refusal.ts'
import { type Binaries, MAJOR_VERSION } from './binaries.ts'
import type { ServerUser } from './server-user.ts'

/** Reads the installation's password of the superuser, or makes it: mode 0600, readable by this program's user alone. */
export function superuserPassword(home: string): string {
  const file = join(home, 'superuser-password')
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  const password = randomBytes(32).toString('base64url')
  writeFileSync(file, password, { mode: 0o600 })
  return password
}

/**
 * Makes the data directory when there is none. A half-made one never takes its name, so an interrupted start begins anew.
 * Throws DatabaseRefusal for a directory of another version of PostgreSQL.
 */
export function ensureCluster(home: string, binaries: Binaries, user: ServerUser): { readonly isNew: boolean } {
  const dataDir = join(home, 'data')
  if (existsSync(join(dataDir, 'PG_VERSION'))) {
    refuseOtherVersion(dataDir)
    user.own(dataDir)
    return { isNew: false }
  }
  const password = superuserPassword(home)
  const fresh = join(home, 'data.new')
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(join(fresh, 'cluster'), { recursive: true, mode: 0o700 })
  const passwordFile = join(fresh, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  user.own(fresh)
  initialise({ dataDir: join(fresh, 'cluster'), passwordFile }, binaries, user)
  renameSync(join(fresh, 'cluster'), dataDir)
  rmSync(fresh, { recursive: true, force: true })
  return { isNew: true }
}

function refuseOtherVersion(dataDir: string): void {
  const version = readFileSync(join(dataDir, 'PG_VERSION'), 'utf8').trim()
  if (version === MAJOR_VERSION) return
  throw new DatabaseRefusal(
    `${dataDir} was made by PostgreSQL ${version}; this version of Andon brings PostgreSQL ${MAJOR_VERSION}. ` +
      'Restore a backup into an empty ANDON_DATA, or start the version of Andon that made it.',
  )
}

interface NewCluster {
  readonly dataDir: string
  readonly passwordFile: string
}

function initialise({ dataDir, passwordFile }: NewCluster, binaries: Binaries, user: ServerUser): void {
  const { command, args } = user.wrap(binaries.initdb, [
    `--pgdata=${dataDir}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--locale=C',
    '--encoding=UTF8',
    '--wal-segsize=4',
    '--no-instructions',
  ])
  const done = spawnSync(command, args, { encoding: 'utf8', cwd: '/' })
  if (done.status === 0) return
  const told = (done.stderr || done.error?.message || '').trim().split('\n').slice(-5).join(' ')
  throw new DatabaseRefusal(`PostgreSQL cannot make its data directory ${dataDir} (as ${user.told}): ${told}`)
}
