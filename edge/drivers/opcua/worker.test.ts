import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { createWorkerProcess, type LinkMessage } from './worker-process.ts'

const dir = mkdtempSync(join(tmpdir(), 'andon-opcua-worker-'))
afterAll(() => rmSync(dir, { recursive: true }))
const worker = fileURLToPath(new URL('./worker.ts', import.meta.url))

describe('the OPC UA process', () => {
  it('ends when its channel to the agent closes', async () => {
    const child = fork(worker, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    child.send({ type: 'close', link: 'none' })
    await once(child, 'message')
    child.disconnect()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('is ended when it hangs, and its links are told', async () => {
    const worker = createWorkerProcess({ log: silentLog, dataDir: dir, hangsAfterMs: 5000 })
    const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>()
    const { promise: lost, resolve: onLost } = Promise.withResolvers<LinkMessage>()
    const onMessage = (message: LinkMessage) => (message.type === 'closed' ? onClosed() : onLost(message))
    worker.listen('m#1', { onMessage })
    const config = {
      url: 'opc.tcp://127.0.0.1:1',
      security: 'None',
      trust: 'listed',
      server: 'unknown',
      alarms: 'none',
    } as const
    const timing = { publishingMs: 100, batch: 1, timeoutMs: 1000 }
    worker.send({ type: 'connect', link: 'other', config: { ...config, ...timing }, dataDir: dir })
    worker.send({ type: 'close', link: 'm#1' })
    await closed
    process.kill(worker.pid ?? 0, 'SIGSTOP')
    expect(await lost).toMatchObject({ type: 'lost', kind: 'driver-process' })
    expect(worker.pid).toBeUndefined()
  })

  it('ends when the agent is killed', async () => {
    const script = `
      const child = require('node:child_process').fork(${JSON.stringify(worker)}, { execArgv: [], stdio: ['ignore', 'pipe', 'ignore', 'ipc'] })
      child.send({ type: 'close', link: 'none' })
      child.once('message', () => console.log(child.pid))
    `
    const agent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [pid] = await once(agent.stdout, 'data')
    agent.kill('SIGKILL')
    await once(agent, 'exit')
    await gone(Number(String(pid)))
  })
})

/** Resolves when a process is no more; the test's time-out is the limit. */
async function gone(pid: number): Promise<void> {
  try {
    process.kill(pid, 0)
  } catch {
    return
  }
  await new Promise(setImmediate)
  return gone(pid)
}
