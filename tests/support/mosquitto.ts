import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, connect as dial } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { debianProgram } from './debian.ts'

/** Where Debian's `mosquitto` is; undefined when it is not installed. */
export const mosquittoProgram = (): string | undefined => debianProgram('mosquitto')

export interface MosquittoOptions {
  /** User names and passwords; without them everybody may connect. */
  readonly users?: Readonly<Record<string, string>>
  /** Lines of an ACL file. */
  readonly acl?: readonly string[]
  /** Makes the port speak TLS: paths of PEM files. */
  readonly tls?: {
    readonly cert: string
    readonly key: string
    /** Root that must have signed what clients show; without it they need show nothing. */
    readonly clientRoot?: string
  }
  readonly lines?: readonly string[]
}

/** A mosquitto of our own on a free loopback port, with nothing kept on disk. */
export interface Mosquitto {
  readonly port: number
  /** Stops it and forgets everything it held. */
  stop(): Promise<void>
  /** Starts it again on the same port. */
  start(): Promise<void>
  /** Stops it and removes its files. */
  close(): Promise<void>
}

/** Starts mosquitto; resolves when it accepts connections. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const program = mosquittoProgram()
  if (!program) throw new Error('mosquitto is not installed (Debian package mosquitto)')
  const dir = mkdtempSync(join(tmpdir(), 'andon-mosquitto-'))
  const port = await freePort()
  const config = writeMosquittoConfig(dir, port, options)
  let child: ChildProcess | undefined
  const stop = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child?.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  // A test run that ends early leaves no broker behind.
  process.once('exit', () => child?.kill('SIGKILL'))
  const start = async () => {
    child = spawn(program, ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] })
    await accepts(child, port)
  }
  await start()
  return {
    port,
    start,
    stop,
    async close() {
      await stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Writes what mosquitto is started with, for a port of loopback; answers the path of the file. */
export function writeMosquittoConfig(
  dir: string,
  port: number,
  { users, acl, tls, lines = [] }: MosquittoOptions,
): string {
  const file = (name: string) => join(dir, name)
  const text = ['user root', 'persistence false', 'log_type error', `listener ${port} 127.0.0.1`]
  text.push(`allow_anonymous ${users === undefined}`)
  if (users) {
    const words = Object.entries(users).map(([name, password]) => `${name}:${password}\n`)
    writeFileSync(file('passwords'), words.join(''))
    execFileSync('mosquitto_passwd', ['-U', file('passwords')])
    text.push(`password_file ${file('passwords')}`)
  }
  if (acl) {
    writeFileSync(file('acl'), `${acl.join('\n')}\n`)
    text.push(`acl_file ${file('acl')}`)
  }
  if (tls) text.push(`certfile ${tls.cert}`, `keyfile ${tls.key}`)
  if (tls?.clientRoot) text.push(`cafile ${tls.clientRoot}`, 'require_certificate true')
  writeFileSync(file('mosquitto.conf'), `${[...text, ...lines].join('\n')}\n`)
  return file('mosquitto.conf')
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** Knocks until the port answers; mosquitto says nothing when it is ready. */
export async function accepts(child: ChildProcess, port: number): Promise<void> {
  let words = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    words += chunk.toString()
  })
  for (;;) {
    if (child.exitCode !== null) throw new Error(`mosquitto did not start: ${words}`)
    if (await knock(port)) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

function knock(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
