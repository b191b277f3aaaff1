import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const RESTART_MS = 500

/** A process with the role pipeline, started again whenever it ends, as a supervisor does. */
export interface MachineSide {
  readonly name: string
  pid(): number
  kill(signal: NodeJS.Signals): void
  /** Ends it for good. */
  stop(): Promise<void>
  /** How often it ended by itself or was killed. */
  ends(): number
}

export interface MachineSideOptions {
  readonly name: string
  readonly config: string
  readonly env: Readonly<Record<string, string>>
  /** Hears each line that it prints. */
  readonly say: (line: string) => void
}

/** Starts it; it may wait for the lease before it does anything. */
export function startMachineSide({ name, config, env, say }: MachineSideOptions): MachineSide {
  let [isStopping, ends] = [false, 0]
  let child: ChildProcess
  const start = () => {
    child = spawn(process.execPath, ['andon.ts', 'cloud', '--roles', 'pipeline', '--config', config], {
      ...{ cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => say(`${name}: ${chunk.toString().trim().slice(0, 600)}`))
    }
    child.once('exit', (code, signal) => {
      if (isStopping) return
      ends += 1
      say(`${name} ended (${signal ?? code})`)
      setTimeout(() => isStopping || start(), RESTART_MS)
    })
  }
  start()
  return {
    name,
    pid: () => child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    ends: () => ends,
    async stop() {
      isStopping = true
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
    },
  }
}
