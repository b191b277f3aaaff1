import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

/** Milliseconds before a child that stopped is started again: doubles from the first to the last. */
const FIRST_DELAY_MS = 500
const LAST_DELAY_MS = 10_000
/** A child that lived this long starts with the first delay again. */
const STEADY_MS = 30_000
/** Within this time a signal that was sent to all processes has reached all of them. */
const SIGNAL_MS = 200
const STOP_TIMEOUT_MS = 20_000

export interface ChildSpec {
  readonly name: string
  /** Script and arguments; asked anew at each start, so that a restart can keep the ports of the first start. */
  readonly command: () => readonly [script: string, args: readonly string[]]
  readonly env: () => Readonly<Record<string, string>>
  readonly logFile: string
  /** Told the process id at each start. */
  readonly onStart: (pid: number) => void
  readonly onMessage: (message: unknown) => void
  /** One line for the terminal. */
  readonly say: (line: string) => void
  /** The child failed before it was ever ready: a fault that starting again does not heal. */
  readonly onHopeless: (reason: string) => void
}

export interface SupervisedChild {
  /** Sends to the running child; dropped while it is down. */
  send(message: object): void
  /** Marks the child as having been ready once: from now on every stop is healed by a restart. */
  ready(): void
  /** Stops it for good: SIGTERM, then SIGKILL after 20 s. */
  stop(): Promise<void>
}

/** Starts a child and starts it again, with back-off, whenever it stops by itself. */
export function supervise(spec: ChildSpec): SupervisedChild {
  const state = {
    child: undefined as ChildProcess | undefined,
    delayMs: FIRST_DELAY_MS,
    wasReady: false,
    isStopping: false,
  }
  let timer: NodeJS.Timeout | undefined

  const start = () => {
    const startedAt = performance.now()
    state.child = launch(spec)
    state.child.on('message', spec.onMessage)
    state.child.once('exit', (code, signal) => {
      state.child = undefined
      const livedMs = performance.now() - startedAt
      // Ctrl-C reaches every process of the terminal at once: a child may end before the demo itself is told to.
      timer = setTimeout(() => void (!state.isStopping && again(code, signal, livedMs)), SIGNAL_MS)
    })
  }
  const again = (code: number | null, signal: string | null, livedMs: number) => {
    const how = signal ? `was ended by ${signal}` : `stopped with exit code ${code}`
    if (!state.wasReady && signal === null) return spec.onHopeless(`${spec.name} ${how}\n${lastLines(spec.logFile)}`)
    if (livedMs > STEADY_MS) state.delayMs = FIRST_DELAY_MS
    spec.say(`${spec.name} ${how}; starting it again in ${state.delayMs / 1000} s`)
    timer = setTimeout(start, state.delayMs)
    state.delayMs = Math.min(state.delayMs * 2, LAST_DELAY_MS)
  }
  start()

  return {
    send: (message) => void (state.child?.connected && state.child.send(message)),
    ready: () => {
      state.wasReady = true
    },
    stop: async () => {
      state.isStopping = true
      clearTimeout(timer)
      if (state.child) await end(state.child)
    },
  }
}

function launch(spec: ChildSpec): ChildProcess {
  const [script, args] = spec.command()
  const log = openSync(spec.logFile, 'a', 0o600)
  const child = fork(script, [...args], { env: { ...spec.env() }, stdio: ['ignore', log, log, 'ipc'] })
  closeSync(log)
  if (child.pid !== undefined) spec.onStart(child.pid)
  return child
}

function end(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    child.once('exit', () => {
      clearTimeout(kill)
      resolve()
    })
    child.kill('SIGTERM')
  })
}

/** The end of a child's log, where its last words stand. */
function lastLines(file: string): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines
    .slice(-12)
    .map((line) => `    ${line}`)
    .join('\n')
}
