/**
 * Adds to package-lock.json a stub for every optional dependency that it names but does not hold.
 * A registry that lacks a platform's package makes `npm install` drop it silently, and `npm ci` then refuses the lock
 * file. Run after each `npm install`: `node .ci/complete-lock.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

interface LockEntry {
  version?: string
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}
interface Lock {
  packages: Record<string, LockEntry>
}

const OS = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'win32', 'windows']
const CPU = ['arm64', 'arm', 'x64', 'ia32', 'riscv64', 'ppc64', 's390x']

/** Every optional dependency the lock names, with the version asked for and whether only development needs it. */
export function missingOptionals(lock: Lock): Map<string, { version: string; dev: boolean }> {
  const held = new Set(Object.keys(lock.packages).map((path) => path.split('node_modules/').at(-1)))
  const missing = new Map<string, { version: string; dev: boolean }>()
  for (const entry of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!held.has(name)) missing.set(name, { version, dev: entry.dev === true })
    }
  }
  return missing
}

/** The lock entry that stands for a package this machine could not fetch. */
export function stubFor(name: string, { version, dev }: { version: string; dev: boolean }): LockEntry {
  const words = name.split(/[-/]/)
  const os = OS.find((o) => words.includes(o))
  const cpu = CPU.find((c) => words.includes(c))
  return {
    version,
    optional: true,
    ...(os ? { os: [os === 'windows' ? 'win32' : os] } : {}),
    ...(cpu ? { cpu: [cpu] } : {}),
    ...(words.includes('musl') ? { libc: ['musl'] } : {}),
    ...(dev ? { dev: true } : {}),
  }
}

function completeLock(path: string): string[] {
  const lock = JSON.parse(readFileSync(path, 'utf8')) as Lock
  const missing = missingOptionals(lock)
  for (const [name, want] of missing) lock.packages[`node_modules/${name}`] = stubFor(name, want)
  const sorted = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(path, `${JSON.stringify({ ...lock, packages: sorted }, null, 2)}\n`)
  return [...missing.keys()]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const added = completeLock(fileURLToPath(new URL('../package-lock.json', import.meta.url)))
  console.log(added.length === 0 ? 'lock file complete' : `lock file: added ${added.join(', ')}`)
}
