import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'

/** Programs that tests run when Debian's package is installed. Some stand where an ordinary user's PATH does not lead. */
const PROGRAMS = {
  mosquitto: ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'],
  chromium: ['/usr/bin/chromium'],
  'victoria-metrics': ['/usr/bin/victoria-metrics', '/usr/local/bin/victoria-metrics'],
  influxdb: ['/usr/bin/influxd', '/usr/local/bin/influxd'],
  openssl: ['/usr/bin/openssl', '/usr/local/bin/openssl', '/opt/homebrew/bin/openssl'],
  socat: ['/usr/bin/socat', '/usr/local/bin/socat', '/opt/homebrew/bin/socat'],
  'redis-server': ['/usr/bin/redis-server', '/usr/local/bin/redis-server', '/opt/homebrew/bin/redis-server'],
  iproute2: ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip', '/bin/ip'],
  systemd: ['/usr/bin/systemd-analyze', '/bin/systemd-analyze'],
  'qemu-user-static': ['/usr/bin/qemu-aarch64-static'],
} as const

export type DebianPackage = keyof typeof PROGRAMS

/** Where the program of a package is; undefined when it is not installed. */
export const debianProgram = (name: DebianPackage): string | undefined =>
  PROGRAMS[name].find((place) => existsSync(place))

/** Says once which tests do not run. Returns whether they do. */
export function hasPackage(name: DebianPackage): boolean {
  if (debianProgram(name)) return true
  process.stdout.write(`skipped: ${name} is not installed (Debian package ${name})\n`)
  return false
}

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('The free port has no number')
  return address.port
}

/** A server of another maker that can be killed and started again. */
export interface ServerProcess {
  readonly child: ChildProcess
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves when it is gone. */
  stop(): Promise<void>
}

const PATIENCE_MS = 20_000
const LOOK_EVERY_MS = 20

/** Starts a server and resolves when `url` answers with success. Its last words are in the error when it ends before. */
export async function startServerProcess(
  program: string,
  args: readonly string[],
  url: string,
): Promise<ServerProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let words = ''
  child.stderr.on('data', (data: Buffer) => {
    words = (words + data).slice(-4000)
  })
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  const giveUpAt = performance.now() + PATIENCE_MS
  while (!(await answers(url))) {
    if (child.exitCode !== null || performance.now() > giveUpAt) {
      await end('SIGKILL')
      throw new Error(`${program} did not start: ${words}`)
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
  return { child, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') }
}

const answers = (url: string) =>
  fetch(url).then(
    (answer) => answer.ok,
    () => false,
  )
