import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ANDON = fileURLToPath(new URL('../../../andon.ts', import.meta.url))

/** A box beside the machines: a folder in which people run the lines that the console shows. */
export interface RealBox {
  /** The edge.yaml that lies there. */
  file(): string
  /** Runs a line that ends by itself; resolves with what it printed. Rejects when it fails. */
  run(line: string): Promise<string>
  /** Runs a line that goes on until the box is closed. */
  start(line: string): void
  close(): Promise<void>
}

/** Makes an empty box. Its agent serves its page on a free port. */
export function realBox(): RealBox {
  const folder = mkdtempSync(join(tmpdir(), 'andon-box-'))
  const running: ReturnType<typeof launch>[] = []
  function launch(line: string) {
    const args = line.slice(line.indexOf('andon ') + 'andon '.length).split(' ')
    const env = { ...process.env, ANDON_EDGE_PORT: '0' }
    const child = spawn(process.execPath, [ANDON, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const out of [child.stdout, child.stderr]) out.on('data', (chunk) => (text += chunk))
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    return { child, ended, text: () => text }
  }
  return {
    file: () => readFileSync(join(folder, 'edge.yaml'), 'utf8'),
    async run(line) {
      const { ended, text } = launch(line)
      const code = await ended
      if (code !== 0) throw new Error(`${line}\nended with ${code}:\n${text()}`)
      return text()
    },
    start: (line) => void running.push(launch(line)),
    async close() {
      for (const { child, ended } of running) {
        child.kill('SIGINT')
        await ended
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
