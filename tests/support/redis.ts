import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { debianProgram, freePort } from './debian.ts'

/** A redis-server of our own on a free loopback port, with nothing kept on disk. */
export interface TestRedis {
  readonly url: string
  /** `kill -9` */
  kill(): Promise<void>
  /** Starts it again on the same port. */
  start(): Promise<void>
  close(): Promise<void>
}

/** Starts Debian's redis-server; resolves when it answers. */
export async function startRedis(): Promise<TestRedis> {
  const program = debianProgram('redis-server')
  if (!program) throw new Error('redis-server is not installed (Debian package redis-server)')
  const port = await freePort()
  let child: ChildProcess | undefined
  const kill = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  process.once('exit', () => child?.kill('SIGKILL'))
  const start = async () => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    child = spawn(program, args, { stdio: 'ignore' })
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`redis-server did not start: exit code ${child.exitCode}`)
      await wait(10)
    }
  }
  await start()
  return { url: `redis://127.0.0.1:${port}`, kill, start, close: kill }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.once('data', (data) => {
      socket.destroy()
      resolve(data.toString().startsWith('+PONG'))
    })
    socket.once('error', () => resolve(false))
  })
}
