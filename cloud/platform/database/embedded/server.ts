import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Log } from '#shared/log/log.ts'
import { DatabaseRefusal } from '../refusal.ts'
import { type Binaries, findBinaries } from './binaries.ts'
import { ensureCluster, superuserPassword } from './cluster.ts'
import { lockDirectory } from './data-lock.ts'
import { clearOrphan } from './orphan.ts'
import { chooseServerUser, type ServerUser } from './server-user.ts'

export interface ServerOptions {
  /** Holds the data, the lock, the password and the server's log; made with mode 0700. */
  readonly home: string
  readonly log: Log
  /** More server settings, e.g. `fsync=off` in tests. */
  readonly settings?: readonly string[]
}

/** A running PostgreSQL of our own. */
export interface EmbeddedServer {
  /** Directory of its Unix socket: the `host` of a connection. */
  readonly host: string
  readonly port: number
  readonly superuser: { readonly user: string; readonly password: string }
  readonly pid: number
  /** Resolves when the server has ended, however it did. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** Fast shutdown: open transactions are rolled back, everything committed is on disk. Safe to call twice. */
  stop(): Promise<void>
  /** Kills it as a power cut would; for tests of recovery. */
  kill(): void
}

/** Names the socket file; nothing listens on TCP. */
const PORT = 5432
/** A Unix socket's path may have 107 bytes; PostgreSQL's own limit is near it. */
const LONGEST_SOCKET_PATH = 100

/**
 * Starts PostgreSQL on `home`, made when absent. Whoever was killed before leaves nothing in the way. The server dies with
 * this process. Throws DatabaseRefusal with one clear sentence.
 */
export async function startServer({ home, log, settings = [] }: ServerOptions): Promise<EmbeddedServer> {
  const lock = lockDirectory(home)
  // Root's server may run as another account, which must be able to pass; what lies inside is closed by itself.
  if (process.getuid?.() === 0) chmodSync(home, 0o711)
  try {
    const binaries = findBinaries()
    const sockets = socketDirectory(home)
    const user = chooseServerUser([binaries.postgres, join(home, 'data'), sockets])
    const orphan = await clearOrphan(join(home, 'data'))
    if (orphan !== 'none') log.warn({ orphan }, 'Cleared what a killed server had left')
    const { isNew } = ensureCluster(home, binaries, user)
    user.own(sockets)
    const server = await launch({ home, sockets, settings, binaries, user })
    log.info({ pid: server.process.pid, isNew, as: user.told }, 'PostgreSQL started')
    return handle(server, { home, sockets, release: () => lock.release() })
  } catch (error) {
    lock.release()
    throw error
  }
}

function socketDirectory(home: string): string {
  const near = join(home, 'socket')
  if (Buffer.byteLength(join(near, `.s.PGSQL.${PORT}`)) > LONGEST_SOCKET_PATH)
    return mkdtempSync(join(tmpdir(), 'andon-'))
  mkdirSync(near, { recursive: true, mode: 0o700 })
  chmodSync(near, 0o700)
  return near
}

interface Launch {
  readonly home: string
  readonly sockets: string
  readonly settings: readonly string[]
  readonly binaries: Binaries
  readonly user: ServerUser
}

interface Running {
  readonly process: ChildProcess
  readonly ended: EmbeddedServer['ended']
}

function serverSettings(sockets: string): string[] {
  return [
    'listen_addresses=',
    `unix_socket_directories=${sockets}`,
    'unix_socket_permissions=0700',
    'shared_buffers=64MB',
    'max_connections=40',
    'dynamic_shared_memory_type=mmap',
    'jit=off',
    'password_encryption=scram-sha-256',
    'min_wal_size=32MB',
    'max_wal_size=512MB',
    'log_checkpoints=off',
    'max_parallel_workers=2',
    'max_logical_replication_workers=0',
    'io_workers=1',
  ]
}

async function launch({ home, sockets, settings, binaries, user }: Launch): Promise<Running> {
  const dataDir = join(home, 'data')
  const logFile = join(home, 'server.log')
  const flags = [...serverSettings(sockets), ...settings].flatMap((s) => ['-c', s])
  const { command, args } = user.wrap(binaries.postgres, ['-D', dataDir, ...flags])
  const output = openLog(logFile)
  // Its own session: Ctrl-C in a terminal is for us, we stop the server when our own work is done.
  const child = spawn(command, args, { detached: true, stdio: ['ignore', output, output], cwd: '/' })
  closeSync(output)
  const ended: Running['ended'] = new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', () => resolve({ code: 127, signal: null }))
  })
  await untilReady({ process: child, ended }, dataDir, logFile)
  return { process: child, ended }
}

/** One file, begun anew when it has grown beyond 4 MB. */
function openLog(file: string): number {
  const isBig = existsSync(file) && statSync(file).size > 4_000_000
  return openSync(file, isBig ? 'w' : 'a', 0o600)
}

async function untilReady({ process: child, ended }: Running, dataDir: string, logFile: string): Promise<void> {
  let isOver = false
  void ended.then(() => {
    isOver = true
  })
  while (!isReady(dataDir, child.pid)) {
    if (isOver) {
      const told = readFileSync(logFile, 'utf8').trim().split('\n').slice(-4).join(' ')
      throw new DatabaseRefusal(
        `PostgreSQL ended while it started: ${told || 'it said nothing'} (whole text: ${logFile})`,
      )
    }
    await wait(5)
  }
}

/** Line 8 of `postmaster.pid` turns to `ready` once connections are taken; recovery after a crash may come before. */
function isReady(dataDir: string, pid: number | undefined): boolean {
  try {
    const lines = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready'
  } catch {
    return false
  }
}

interface Leftovers {
  readonly home: string
  readonly sockets: string
  release(): void
}

function handle({ process: child, ended }: Running, { home, sockets, release }: Leftovers): EmbeddedServer {
  const cleared = ended.then(() => {
    release()
    if (!sockets.startsWith(home)) rmSync(sockets, { recursive: true, force: true })
  })
  const isOver = () => child.exitCode !== null || child.signalCode !== null
  return {
    host: sockets,
    port: PORT,
    superuser: { user: 'postgres', password: superuserPassword(home) },
    pid: child.pid ?? 0,
    ended,
    async stop() {
      if (!isOver()) child.kill('SIGINT')
      const patience = setTimeout(() => isOver() || child.kill('SIGQUIT'), 5_000)
      await cleared
      clearTimeout(patience)
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
