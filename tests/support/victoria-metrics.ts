import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { debianProgram, freePort, type ServerProcess, startServerProcess } from './debian.ts'

/** A VictoriaMetrics or InfluxDB of a test's own. */
export interface TestEngine {
  readonly url: string
  readonly dir: string
  /** Its process at present. */
  readonly process: ServerProcess
  /** `kill -9` */
  kill(): Promise<void>
  /** Starts it again on the same port and data, by default as it was. */
  start(flags?: readonly string[]): Promise<void>
  /** Stops it and removes its data. */
  close(): Promise<void>
}

/** As Andon wants it: duplicates are dropped, history is kept. */
export const FIT_FLAGS = ['-dedup.minScrapeInterval=1ms', '-retentionPeriod=100y'] as const

/** Starts Debian's VictoriaMetrics on a free loopback port with data in a temporary directory. */
export async function startVictoriaMetrics(flags: readonly string[] = FIT_FLAGS): Promise<TestEngine> {
  const program = debianProgram('victoria-metrics') ?? ''
  const dir = mkdtempSync(join(tmpdir(), 'andon-victoria-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const run = (options: readonly string[]) =>
    startServerProcess(
      program,
      [`-storageDataPath=${dir}`, `-httpListenAddr=127.0.0.1:${port}`, ...options],
      `${url}/health`,
    )
  let server = await run(flags)
  return {
    url,
    dir,
    get process() {
      return server
    },
    kill: () => server.kill(),
    async start(options = flags) {
      server = await run(options)
    },
    async close() {
      await server.kill()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
