import type { DebianPackage } from './debian.ts'

/** The rings of tests, in the order in which a fault is cheapest to find. */
export const RINGS = ['unit', 'conformance', 'acceptance', 'chaos', 'browser'] as const
export type Ring = (typeof RINGS)[number]

/** Debian packages whose programs the tests of a ring run; a test whose program is missing is skipped. */
export const RING_PACKAGES: Readonly<Record<Ring, readonly DebianPackage[]>> = {
  unit: ['socat', 'openssl'],
  conformance: ['mosquitto', 'victoria-metrics', 'influxdb', 'redis-server'],
  acceptance: ['mosquitto', 'victoria-metrics', 'redis-server', 'iproute2', 'systemd', 'qemu-user-static'],
  chaos: ['mosquitto', 'victoria-metrics', 'redis-server'],
  browser: ['chromium'],
}

/** What installing needs to know of a machine, and does to it. */
export interface Machine {
  readonly isCi: boolean
  readonly isRoot: boolean
  has(name: DebianPackage): boolean
  /** Runs apt-get. Returns what it said when it failed, else undefined. */
  apt(args: readonly string[]): string | undefined
}

/** Whether a package's program is there, and the sentence to print when it is not. */
export type Provided = { readonly state: 'there' } | { readonly state: 'skipped' | 'failed'; readonly sentence: string }

/** Looks for a package's program; in CI it is installed when it is missing, and it is a failure when that does not work. */
export function provide(name: DebianPackage, machine: Machine): Provided {
  if (machine.has(name)) return { state: 'there' }
  if (!machine.isCi) return { state: 'skipped', sentence: `skipped: the Debian package ${name} is not installed` }
  const failed = (why: string): Provided => ({ state: 'failed', sentence: `FAILED: CI=true skips nothing, and ${why}` })
  if (!machine.isRoot) return failed(`the Debian package ${name} is missing: install it, or run as root`)
  for (const args of [
    ['update', '-q'],
    ['install', '-y', '-q', '--no-install-recommends', name],
  ]) {
    const words = machine.apt(args)
    if (words !== undefined) return failed(`'apt-get ${args.join(' ')}' failed:\n${words.trim()}`)
  }
  return machine.has(name)
    ? { state: 'there' }
    : failed(`apt-get installed ${name}, but its program is not to be found`)
}

/** Tests and steps of a run. */
export interface Count {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** What a run amounts to: the line to print last, and the exit code. */
export function verdict(
  { passed, failed, skipped }: Count,
  isCi: boolean,
): { readonly line: string; readonly code: number } {
  const line = `${passed} passed, ${failed} failed, ${skipped} skipped`
  if (passed === 0) return { line: `${line}: nothing was tested`, code: 1 }
  if (isCi && skipped > 0) return { line: `${line}: CI=true skips nothing, so this is a failure`, code: 1 }
  return { line, code: failed === 0 ? 0 : 1 }
}
