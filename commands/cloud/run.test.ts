import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
let data: string
beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), 'andon-cloud-test-'))
})
afterAll(() => rmSync(data, { recursive: true, force: true }))

interface Service {
  readonly child: ChildProcess
  readonly url: string
  readonly postgres: number
}

function launch(env: Record<string, string> = {}) {
  const ports = { ANDON_HTTP_PORT: '0', ANDON_MQTT_PORT: '0' }
  const child = spawn(process.execPath, ['andon.ts', 'cloud'], {
    cwd: root,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', ANDON_DATA: data, ...ports, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  return { child, ended }
}

async function start(): Promise<Service & { readonly ended: Promise<number | null> }> {
  const { child, ended } = launch()
  const url = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stderr?.on('data', (chunk) => {
      text += chunk
      const found = /console (http:\S+)/.exec(text)?.[1]
      if (found) resolve(found)
    })
    void ended.then((code) => reject(new Error(`ended with ${code}: ${text}`)))
  })
  const postgres = Number(readFileSync(join(data, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0])
  return { child, url, postgres, ended }
}

describe('andon cloud', { timeout: 120_000 }, () => {
  it('is healthy and ready once it says where the console is, and stops cleanly on a signal', async () => {
    const service = await start()
    for (const path of ['/healthz', '/readyz']) expect((await fetch(`${service.url}${path}`)).status).toBe(200)
    service.child.kill('SIGTERM')
    expect(await service.ended).toBe(0)
  })

  it('stops cleanly when a signal reaches PostgreSQL before itself', async () => {
    const service = await start()
    process.kill(service.postgres, 'SIGINT')
    service.child.kill('SIGINT')
    expect(await service.ended).toBe(0)
  })

  it('ends with 1 when PostgreSQL is killed, and the next start recovers', async () => {
    const service = await start()
    process.kill(service.postgres, 'SIGKILL')
    expect(await service.ended).toBe(1)
    const next = await start()
    expect((await fetch(`${next.url}/readyz`)).status).toBe(200)
    next.child.kill('SIGKILL')
    await next.ended
  })

  it('says which setting to change when a port is taken, and ends', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const port = String((taken.address() as { port: number }).port)
    for (const setting of ['ANDON_HTTP_PORT', 'ANDON_MQTT_PORT']) {
      const { child, ended } = launch({ [setting]: port })
      let text = ''
      child.stderr?.on('data', (chunk) => {
        text += chunk
      })
      expect(await ended).toBe(1)
      expect(text).toMatch(new RegExp(`${setting}[\\s\\S]*${port}|${port}[\\s\\S]*${setting}`))
    }
    taken.close()
  })
})
