import { spawn } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { DatabaseRefusal, DirectoryInUse } from '../refusal.ts'
import { withClient } from '../start.ts'
import { type EmbeddedServer, startServer } from './server.ts'

/** Made once and copied, since making a data directory takes longer than everything else here. */
let made: string
let home: string
let server: EmbeddedServer | undefined

beforeAll(async () => {
  made = mkdtempSync(join(tmpdir(), 'andon-server-made-'))
  await (await startServer({ home: made, log: silentLog })).stop()
})
afterAll(() => rmSync(made, { recursive: true, force: true }))
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'andon-server-test-'))
  cpSync(made, home, { recursive: true })
})
afterEach(async () => {
  await server?.stop()
  server = undefined
  rmSync(home, { recursive: true, force: true })
})

const start = async (at = home) => {
  server = await startServer({ home: at, log: silentLog })
  return server
}
const ask = <T>(from: EmbeddedServer, query: string) =>
  withClient({ host: from.host, port: from.port, database: 'postgres', ...from.superuser }, async (client) => {
    const { rows } = await client.query(query)
    return rows as T[]
  })

describe('the embedded PostgreSQL', () => {
  it('wants its password, listens on no network and keeps its files to itself', async () => {
    const running = await start()
    expect(await ask(running, 'show listen_addresses')).toEqual([{ listen_addresses: '' }])
    const rules = readFileSync(join(home, 'data', 'pg_hba.conf'), 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    expect(rules.every((line) => line.endsWith('scram-sha-256'))).toBe(true)
    const wrong = withClient(
      { host: running.host, port: running.port, user: 'postgres', password: 'x' },
      async () => {},
    )
    await expect(wrong).rejects.toThrow(/password authentication failed/)
    for (const name of ['data', 'socket']) expect(statSync(join(home, name)).mode & 0o777).toBe(0o700)
    expect(statSync(join(home, 'superuser-password')).mode & 0o777).toBe(0o600)
  })

  it('keeps what was committed when it is killed, and starts again over what it left', async () => {
    const first = await start()
    await ask(first, 'create table kept as select generate_series(1, 1000) as n')
    first.kill()
    expect((await first.ended).signal).toBe('SIGKILL')
    expect(existsSync(join(home, 'data', 'postmaster.pid'))).toBe(true)
    expect(await ask(await start(), 'select count(*)::int as n from kept')).toEqual([{ n: 1000 }])
  })

  it('dies with its parent, and a start beside its last breath waits for it', async () => {
    const script = `
      const { startServer } = await import(${JSON.stringify(join(import.meta.dirname, 'server.ts'))})
      const { silentLog } = await import('#shared/log/log.ts')
      const server = await startServer({ home: ${JSON.stringify(home)}, log: silentLog })
      process.stdout.write(String(server.pid))
      setInterval(() => {}, 1000)`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (chunk) => resolve(Number(chunk))))
    parent.kill('SIGKILL')
    const second = await start()
    expect(second.pid).not.toBe(pid)
    expect(await ask(second, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  it('removes a pid file whose number now belongs to another program', async () => {
    await (await start()).stop()
    writeFileSync(join(home, 'data', 'postmaster.pid'), `${process.pid}\n${join(home, 'data')}\n`)
    expect(await ask(await start(), 'select 1 as one')).toEqual([{ one: 1 }])
  })

  it('refuses a directory that another process works in', async () => {
    await start()
    await expect(startServer({ home, log: silentLog })).rejects.toThrow(DirectoryInUse)
  })

  it('refuses a data directory of another version and says what to do', async () => {
    await (await start()).stop()
    server = undefined
    writeFileSync(join(home, 'data', 'PG_VERSION'), '17\n')
    const refused = startServer({ home, log: silentLog })
    await expect(refused).rejects.toThrow(/made by PostgreSQL 17.*brings PostgreSQL 18/)
    await expect(refused).rejects.toThrow(DatabaseRefusal)
  })

  it('begins anew after a start that was cut off while it made the directory', async () => {
    rmSync(join(home, 'data'), { recursive: true })
    mkdirSync(join(home, 'data.new', 'cluster'), { recursive: true })
    writeFileSync(join(home, 'data.new', 'cluster', 'half'), 'made')
    expect(await ask(await start(), 'select 1 as one')).toEqual([{ one: 1 }])
    expect(existsSync(join(home, 'data.new'))).toBe(false)
  })

  it('works in a closed directory with a path too long for a socket', async () => {
    const deep = join(home, 'closed', 'd'.repeat(90))
    mkdirSync(deep, { recursive: true })
    chmodSync(join(home, 'closed'), 0o700)
    const running = await start(deep)
    expect(running.host.length).toBeLessThan(90)
    expect(await ask(running, 'select 1 as one')).toEqual([{ one: 1 }])
    await running.stop()
    expect(existsSync(running.host)).toBe(false)
  })
})
