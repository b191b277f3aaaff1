import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { debianProgram, freePort, startServerProcess } from './debian.ts'
import type { TestEngine } from './victoria-metrics.ts'

/** Starts Debian's InfluxDB 1.6 on a free loopback port with data in a temporary directory and an empty database `andon`. */
export async function startInfluxDb(): Promise<TestEngine & { query(text: string): Promise<string> }> {
  const program = debianProgram('influxdb') ?? ''
  const dir = mkdtempSync(join(tmpdir(), 'andon-influxdb-'))
  const [port, backupPort] = [await freePort(), await freePort()]
  const config = join(dir, 'influxdb.conf')
  writeFileSync(config, configOf(dir, port, backupPort))
  const url = `http://127.0.0.1:${port}`
  const run = () => startServerProcess(program, ['run', '-config', config], `${url}/ping`)
  let server = await run()
  const query = (text: string) =>
    fetch(`${url}/query`, { method: 'POST', body: new URLSearchParams({ q: text }) }).then((answer) => answer.text())
  await query('CREATE DATABASE "andon"')
  return {
    url,
    dir,
    query,
    get process() {
      return server
    },
    kill: () => server.kill(),
    async start() {
      server = await run()
    },
    async close() {
      await server.kill()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const configOf = (dir: string, port: number, backupPort: number) => `
reporting-disabled = true
bind-address = "127.0.0.1:${backupPort}"
[meta]
  dir = "${dir}/meta"
[data]
  dir = "${dir}/data"
  wal-dir = "${dir}/wal"
  index-version = "tsi1"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
[monitor]
  store-enabled = false
`
