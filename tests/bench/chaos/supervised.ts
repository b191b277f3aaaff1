import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { descendants } from '#tests/support/demo.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const PATIENCE_MS = 12_000
const KEPT_WORDS = 3000
/** Lets a process end with the bench, however that ends: an interrupted one would leave all of an installation behind. */
const MORTAL = ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--'] as const

export interface SupervisedOptions {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Pause before it is started again. */
  readonly restartMs: () => number
}

/** A process that is started again whenever it ends, as a supervisor does. */
export interface Supervised {
  readonly name: string
  /** Undefined while it is down. */
  pid(): number | undefined
  /** How often it ended without being killed since the last call of `settled`. */
  endsByItself(): number
  settled(): void
  /** Its last words. */
  words(): string
  /** SIGKILL; true when there was something to kill. */
  kill(): boolean
  /** Ends it for good. */
  stop(): Promise<void>
}

const mortal = (command: string, args: readonly string[]): readonly string[] =>
  existsSync(MORTAL[0]) ? [...MORTAL, command, ...args] : [command, ...args]

/** Starts a process and keeps it running. */
export function supervise({ name, command, args, env = {}, restartMs }: SupervisedOptions): Supervised {
  let [isStopping, isKilled, ends, words] = [false, false, 0, '']
  let child: ChildProcess | undefined
  let timer: NodeJS.Timeout | undefined
  const start = () => {
    isKilled = false
    const [program = command, ...given] = mortal(command, args)
    const started = spawn(program, given, {
      ...{ cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
    })
    child = started
    for (const stream of [started.stdout, started.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        words = `${words}${chunk}`.slice(-KEPT_WORDS)
      })
    }
    started.once('exit', (code, signal) => {
      child = undefined
      words += `[${name} ended: ${signal ?? code}]\n`
      if (isStopping) return
      if (!isKilled) ends += 1
      timer = setTimeout(start, restartMs())
    })
  }
  start()
  return {
    name,
    pid: () => child?.pid,
    endsByItself: () => ends,
    settled: () => {
      ends = 0
    },
    words: () => words,
    kill: () => {
      isKilled = child !== undefined
      return child?.kill('SIGKILL') ?? false
    },
    async stop() {
      isStopping = true
      clearTimeout(timer)
      if (!child) return
      const gone = new Promise((resolve) => child?.once('exit', resolve))
      child.kill('SIGTERM')
      const impatient = setTimeout(() => child?.kill('SIGKILL'), PATIENCE_MS)
      await gone
      clearTimeout(impatient)
    },
  }
}

/** Processes below one whose command line has these words. */
export function below(pid: number | undefined, words: RegExp): number[] {
  if (pid === undefined) return []
  return descendants(pid).filter((one) => one !== pid && words.test(commandOf(one)))
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

/** SIGKILL of some processes; answers how many there were. */
export function killAll(pids: readonly number[]): number {
  return pids.filter((pid) => {
    try {
      return process.kill(pid, 'SIGKILL')
    } catch {
      // Gone already: its parent ended a moment before.
      return false
    }
  }).length
}
