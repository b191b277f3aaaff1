import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import type { Log } from '#shared/log/log.ts'
import { ownFile } from '#shared/own-files/own-files.ts'
import { workerEnvironment } from './config.ts'
import type { FromWorker, ToWorker } from './messages.ts'

/** A message about one link. */
export type LinkMessage = Exclude<FromWorker, { type: 'log' | 'alive' }>

export interface LinkListener {
  onMessage(message: LinkMessage): void
  /** When the link last heard of its server, ms since 1970; told every second. */
  onHeard?(at: number): void
}

/** The OPC UA process as the agent sees it. It is started when a device connects and was not running. */
export interface WorkerProcess {
  /** Hears all of a link until the returned function is called; a process that ends is heard as `lost`. */
  listen(link: string, listener: LinkListener): () => void
  send(message: ToWorker): void
  /** Resolves when the process that runs has loaded its library and says that it is alive; never when none runs. */
  whenUp(): Promise<void>
  /** True when one of its links heard of its server within the last seconds. */
  hearsAnyone(): boolean
  /** Ends the process; the next connect starts another. */
  restart(why: string): void
  /** Number of the running process, for tests and the page; undefined while none runs. */
  readonly pid: number | undefined
  /** Ends the process. */
  stop(): Promise<void>
}

const STOP_MS = 3000
/**
 * Room for the objects of two full messages of the server: with less they grow old and cost a full collection, with more memory
 * is wasted. The process asks for one collection itself.
 */
const EXEC_ARGV = ['--max-semi-space-size=8', '--max-old-space-size=256', '--expose-gc']

/** A process that has not said that it is alive for this long hangs, in ms. */
const HANGS_AFTER_MS = 15_000
/** Loading the library on a small or busy box takes its time. */
const STARTS_WITHIN_MS = 60_000

/** A server says that it lives about every second. */
const HEARD_WITHIN_MS = 5000

export interface WorkerOptions {
  readonly log: Log
  /** The edge's directory. */
  readonly dataDir: string
  readonly hangsAfterMs?: number
}

/** Nothing is started yet. */
export function createWorkerProcess(options: WorkerOptions): WorkerProcess {
  const { log } = options
  const listeners = new Map<string, LinkListener>()
  let child: ChildProcess | undefined
  let lastHeardAt = 0
  let up = Promise.withResolvers<void>()

  const onMessage = (message: FromWorker) => {
    up.resolve()
    if (message.type === 'alive') onAlive(message.heard)
    else if (message.type === 'log') log[message.level]({ text: message.text }, 'OPC UA')
    else listeners.get(message.link)?.onMessage(message)
  }
  const onAlive = (heard: Readonly<Record<string, number>>) => {
    lastHeardAt = Math.max(0, ...Object.values(heard))
    for (const [link, at] of Object.entries(heard)) listeners.get(link)?.onHeard?.(at)
  }
  const onExit = (ended: ChildProcess, code: number | null, signal: string | null) => {
    if (child !== ended) return
    child = undefined
    const message = `The OPC UA process ended (${signal ?? `exit code ${code}`})`
    if (listeners.size > 0) log.warn({ code, signal }, 'OPC UA process ended')
    for (const [link, listener] of listeners)
      listener.onMessage({ type: 'lost', link, kind: 'driver-process', message })
  }
  const start = (): ChildProcess => {
    up = Promise.withResolvers()
    const started = forkWorker(options, onMessage)
    started.on('exit', (code, signal) => onExit(started, code, signal))
    return started
  }

  return {
    listen(link, listener) {
      listeners.set(link, listener)
      return () => listeners.delete(link)
    },
    send(message) {
      if (message.type === 'connect') child ??= start()
      // A process that has just died answers nothing: its exit tells every link.
      child?.send(message, () => undefined)
    },
    whenUp: () => up.promise,
    hearsAnyone: () => Date.now() - lastHeardAt < HEARD_WITHIN_MS,
    restart(why) {
      if (!child) return
      log.warn({ why }, 'OPC UA process is given up for another')
      child.kill('SIGKILL')
    },
    get pid() {
      return child?.pid
    },
    stop: () => end(child),
  }
}

/** Starts the process and ends it when it says nothing for too long. */
function forkWorker(
  { log, dataDir, hangsAfterMs = HANGS_AFTER_MS }: WorkerOptions,
  onMessage: (message: FromWorker) => void,
): ChildProcess {
  const started = fork(ownFile('opcua-worker'), {
    execArgv: EXEC_ARGV,
    env: workerEnvironment(join(dataDir, 'opcua', 'compiled')),
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const end = () => {
    log.error('OPC UA process hangs, ending it')
    started.kill('SIGKILL')
  }
  let watchdog = setTimeout(end, STARTS_WITHIN_MS)
  started.on('message', (message) => {
    clearTimeout(watchdog)
    watchdog = setTimeout(end, hangsAfterMs)
    onMessage(message as FromWorker)
  })
  started.on('exit', () => clearTimeout(watchdog))
  started.on('error', (error) => log.error({ err: error }, 'OPC UA process'))
  return started
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  if (child.connected) child.disconnect()
  await exited
  clearTimeout(timer)
}
