import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'andon-demo-stop-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

/** Starts the demo as the leader of a process group, as a terminal does, and waits until it has said something. */
async function demoThatSaid(wanted: string) {
  const ports = ['HTTP', 'MQTT', 'MODBUS', 'OPCUA', 'EDGE'].map((name) => [`ANDON_${name}_PORT`, '0'])
  const child = spawn(process.execPath, ['andon.ts', 'demo', '--data', data], {
    cwd: root,
    detached: true,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', ...Object.fromEntries(ports) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  let text = ''
  while (!text.includes(wanted)) text += String((await once(child.stdout, 'data'))[0])
  return { pid: child.pid ?? 0, ended }
}

/** Command lines of processes that still work on the demo's data. */
function left(): string[] {
  return readdirSync('/proc')
    .filter((name) => Number(name) > 0)
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')]
      } catch {
        return []
      }
    })
    .filter((line) => line.includes(data))
}

describe('andon demo, told to stop while it starts', { timeout: 120_000 }, () => {
  it.each([
    ['SIGTERM', 'to the demo alone', 'starting the plant'],
    ['SIGINT', 'to the whole terminal', 'simulated machines answer'],
    ['SIGTERM', 'to the demo alone', 'console '],
  ] as const)('by %s %s after it said "%s" leaves no process behind', async (signal, reach, line) => {
    const demo = await demoThatSaid(line)
    process.kill(reach === 'to the whole terminal' ? -demo.pid : demo.pid, signal)
    expect(await demo.ended).toBe(0)
    expect(left()).toEqual([])
  })
})
