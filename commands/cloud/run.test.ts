import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

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
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  child.stdout?.on('data', (chunk) => {
    text += chunk
  })
  child.stderr?.on('data', (chunk) => {
    text += chunk
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  /** Resolves once the service has said something. */
  const says = async (wanted: string) => {
    while (!text.includes(wanted)) {
      const isOver = await Promise.race([
        once(child.stdout as Readable, 'data').then(() => false),
        ended.then(() => true),
      ])
      if (isOver && !text.includes(wanted)) throw new Error(`It ended without saying '${wanted}':\n${text}`)
    }
  }
  return { child, ended, says, text: () => text }
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

  it.each(['ANDON_HTTP_PORT', 'ANDON_MQTT_PORT'])(
    'says to change %s when that port is taken, and ends with its database',
    async (setting) => {
      const taken = createServer().listen(0, '127.0.0.1')
      await once(taken, 'listening')
      const port = String((taken.address() as { port: number }).port)
      const service = launch({ [setting]: port })
      expect(await service.ended).toBe(1)
      expect(service.text()).toMatch(new RegExp(`${setting}[\\s\\S]*${port}|${port}[\\s\\S]*${setting}`))
      expect(isAlive(postgresOf(service.text()))).toBe(false)
      taken.close()
    },
  )
})

/** The server's process, as the log tells it. */
const postgresOf = (text: string) => Number(/"pid":(\d+)[^\n]*PostgreSQL started/.exec(text)?.[1])

function isAlive(pid: number): boolean {
  if (!(pid > 0)) throw new Error('The log tells no process of PostgreSQL')
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('andon cloud, told to stop while it starts', { timeout: 60_000 }, () => {
  let fresh: string
  beforeEach(() => {
    fresh = mkdtempSync(join(tmpdir(), 'andon-cloud-stop-'))
  })
  afterEach(() => rmSync(fresh, { recursive: true, force: true }))

  it.each([
    ['SIGTERM', 'PostgreSQL started'],
    ['SIGINT', 'PostgreSQL started'],
    ['SIGTERM', 'Migrations applied'],
    ['SIGINT', 'Migrations applied'],
  ] as const)('by %s after it said "%s" serves nothing any more and stops its database', async (signal, line) => {
    const service = launch({ ANDON_DATA: fresh })
    await service.says(line)
    service.child.kill(signal)
    expect(await service.ended).toBe(0)
    expect(service.text()).not.toContain('Cloud started')
    expect(isAlive(postgresOf(service.text()))).toBe(false)
  })

  it('ends although the database that it waits for never answers', async () => {
    const sockets: Socket[] = []
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as { port: number }
    const service = launch({ ANDON_DATA: fresh, DATABASE_URL: `postgresql://andon:x@127.0.0.1:${port}/andon` })
    await once(silent, 'connection')
    service.child.kill('SIGTERM')
    expect(await service.ended).toBe(0)
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
})
