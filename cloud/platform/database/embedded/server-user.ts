import { spawnSync } from 'node:child_process'
import { chownSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseRefusal } from '../refusal.ts'

/** As whom the server runs: PostgreSQL refuses root. */
export interface ServerUser {
  /** For the log: `andon (uid 1000)`, `nobody (uid 65534)`, `root in a user namespace`. */
  readonly told: string
  /** The command that runs `program` as this user and lets it die with its parent. */
  wrap(program: string, args: readonly string[]): { readonly command: string; readonly args: string[] }
  /** Makes a file or a whole directory belong to this user. */
  own(path: string): void
}

/** A server that outlives its parent would hold the data directory: the kernel sends it SIGINT, a fast shutdown. */
const DIE_WITH_PARENT = ['--pdeathsig', 'INT']

/**
 * Chooses the user. An ordinary user runs the server himself. Root runs it as `postgres` or `nobody` where that account can
 * reach every path, else as itself inside a user namespace. Throws DatabaseRefusal, in one sentence, when neither is possible.
 */
export function chooseServerUser(paths: readonly string[]): ServerUser {
  if (process.getuid?.() !== 0) return sameUser()
  const account = ['postgres', 'nobody'].map(findAccount).find((a) => a && paths.every((p) => canReach(a, p)))
  if (account) return otherAccount(account)
  if (canUnshare()) return userNamespace()
  throw new DatabaseRefusal(
    'PostgreSQL does not run as root, this machine refuses user namespaces, and the account nobody cannot reach ' +
      `${paths.join(' and ')}: start as an ordinary user, or choose an installation and an ANDON_DATA whose parent ` +
      'directories everyone may enter (for example below /srv or /var/lib).',
  )
}

interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

function findAccount(name: string): Account | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((l) => l.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid && gid ? { name, uid: Number(uid), gid: Number(gid) } : undefined
}

/** True when every parent of the path lets the account pass. */
function canReach(account: Account, path: string): boolean {
  const parent = dirname(path)
  if (parent !== path && !canReach(account, parent)) return false
  const { mode, uid, gid } = statSync(parent)
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0
  return ((mode >> shift) & 1) === 1
}

const hasSetpriv = () => spawnSync('setpriv', ['--version'], { stdio: 'ignore' }).status === 0

function sameUser(): ServerUser {
  const dies = hasSetpriv()
  return {
    told: `uid ${process.getuid?.()}`,
    wrap: (program, args) =>
      dies
        ? { command: 'setpriv', args: [...DIE_WITH_PARENT, program, ...args] }
        : { command: program, args: [...args] },
    own: () => {},
  }
}

function otherAccount({ name, uid, gid }: Account): ServerUser {
  const become = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
  return {
    told: `${name} (uid ${uid})`,
    wrap: (program, args) => ({ command: 'setpriv', args: [...become, ...DIE_WITH_PARENT, program, ...args] }),
    own: (path) => ownAll(path, uid, gid),
  }
}

const UNSHARE = ['--user', '--map-user=1000', '--map-group=1000']

const canUnshare = () => spawnSync('unshare', [...UNSHARE, 'true'], { stdio: 'ignore' }).status === 0

function userNamespace(): ServerUser {
  return {
    told: 'root in a user namespace',
    // The parent-death signal is lost when credentials change, so setpriv comes after unshare.
    wrap: (program, args) => ({
      command: 'unshare',
      args: [...UNSHARE, 'setpriv', ...DIE_WITH_PARENT, program, ...args],
    }),
    own: (path) => ownAll(path, 0, 0),
  }
}

function ownAll(path: string, uid: number, gid: number): void {
  const stat = statSync(path)
  if (stat.uid !== uid || stat.gid !== gid) chownSync(path, uid, gid)
  if (!stat.isDirectory()) return
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (!entry.isSymbolicLink()) ownAll(join(path, entry.name), uid, gid)
  }
}
