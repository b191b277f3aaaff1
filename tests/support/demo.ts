import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, signIn } from './client.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const PASSWORD = 'demo-Test-1'

export interface DemoOptions {
  readonly plant?: string
  readonly speed?: number
  readonly data?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** The product as `npm start` runs it, on free ports and in a directory of its own. */
export interface Demo {
  readonly url: string
  readonly data: string
  readonly child: ChildProcess
  /** What the terminal showed so far. */
  output(): string
  signIn(username: string): Promise<Client>
  /** Process ids of the demo and everything below it. */
  pids(): number[]
  /** Ctrl-C; resolves with the exit code. */
  stop(): Promise<number | null>
  /** Removes the data directory. */
  remove(): void
}

const FREE_PORTS = {
  ANDON_HTTP_PORT: '0',
  ANDON_MQTT_PORT: '0',
  ANDON_EDGE_PORT: '0',
  ANDON_MODBUS_PORT: '0',
  ANDON_OPCUA_PORT: '0',
}

/** Starts the demo and resolves when it says where the console is. Rejects with the terminal's text when it ends before. */
export async function startDemo(options: DemoOptions = {}): Promise<Demo> {
  const data = options.data ?? mkdtempSync(join(tmpdir(), 'andon-demo-'))
  const args = ['andon.ts', 'demo', '--data', data, ...(options.args ?? [])]
  if (options.plant) args.push('--plant', options.plant)
  if (options.speed) args.push('--speed', String(options.speed))
  const env = { ...process.env, ...FREE_PORTS, ANDON_DEMO_PASSWORD: PASSWORD, ...options.env }
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      text += chunk
      const found = /console\s+(http:\/\/\S+)/.exec(text)?.[1]
      if (found) resolve(found)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', (code) => reject(new Error(`the demo ended with ${code}:\n${text}`)))
  })
  return {
    url,
    data,
    child,
    output: () => text,
    signIn: (username) => signIn(url, username, PASSWORD),
    pids: () => (child.pid === undefined ? [] : descendants(child.pid)),
    stop: () => stop(child),
    remove: () => rmSync(data, { recursive: true, force: true }),
  }
}

function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill('SIGINT')
  })
}

/** A process and everything below it, read from /proc. */
export function descendants(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        return [{ pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) }]
      } catch {
        return []
      }
    })
  const below = (p: number): number[] => [p, ...parents.filter((e) => e.parent === p).flatMap((e) => below(e.pid))]
  return below(pid)
}
