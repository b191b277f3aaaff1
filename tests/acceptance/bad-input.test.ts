import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'andon-bad-'))

interface Ended {
  readonly code: number | null
  readonly text: string
}

/** Runs the one command as a person would and waits for its end. */
function andon(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = spawn(process.execPath, ['andon.ts', ...args], { cwd: root, env: { ...process.env, ...env } })
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  child.stderr.on('data', (chunk) => {
    text += chunk
  })
  return new Promise((resolve) => child.once('exit', (code) => resolve({ code, text })))
}

function file(name: string, text: string): string {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

/** Takes a port of this machine and runs `use` while it is taken. */
async function withTakenPort<T>(use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    return await use((server.address() as { port: number }).port)
  } finally {
    server.close()
  }
}

afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('a wrong file', () => {
  it('of an edge tells every fault at once, with line, path and the nearest name', async () => {
    const path = file(
      'edge.yaml',
      `version: 1
group: module-factory
edge: line-1
mqtt: { url: mqtt://127.0.0.1:1883 }
scann: { fast: 100 }
devices:
  - device: meter-1
    profile: energy-metre
    modbus: { host: 127.0.0.1, port: sixty, unit: 1 }
`,
    )
    const { code, text } = await andon(['check', path])
    expect(code).toBe(1)
    expect(text).toMatch(/5.*scann/s)
    expect(text).toContain("'scan'")
    expect(text).toMatch(/devices\S*port/)
    expect(text).toContain("'energy-meter'")
    expect(text).toMatch(/9/)
  })

  it('of a plant names the device, the missing profile and the one that was meant', async () => {
    const path = file(
      'plant.yaml',
      `version: 1
plant: p
name: { en: P, zh-CN: P }
profiles: ${join(root, 'devices/profiles')}
recordings: ${join(root, 'devices/recordings')}
devices:
  - device: m
    profile: energy-metr
    modbus: { port: 0, unit: 1 }
    machine: { model: energy-meter }
`,
    )
    const { code, text } = await andon(['check', path])
    expect(code).toBe(1)
    expect(text).toContain('energy-metr')
    expect(text).toContain("'energy-meter'")
  })

  it('of the cloud refuses the start and changes nothing', async () => {
    const path = file('cloud.yaml', 'version: 1\nprofile: ./here\n')
    const { code, text } = await andon(['cloud', '--config', path], { ANDON_DATA: join(dir, 'untouched') })
    expect(code).toBe(1)
    expect(text).toContain("'profiles'")
    expect(() => mkdirSync(join(dir, 'untouched'))).not.toThrow()
  })
})

describe('a port in use', () => {
  it.each([
    ['ANDON_HTTP_PORT', ['cloud']],
    ['ANDON_MQTT_PORT', ['cloud']],
    ['ANDON_MODBUS_PORT', ['devices', '--plant', 'devices/plants/module-factory.yaml']],
    ['ANDON_OPCUA_PORT', ['devices', '--plant', 'devices/plants/module-factory.yaml']],
  ])('is a clear error that names %s', async (setting, args) => {
    const { code, text } = await withTakenPort((port) =>
      andon(args, {
        ANDON_DATA: join(dir, setting.toLowerCase()),
        ANDON_HTTP_PORT: '0',
        ANDON_MQTT_PORT: '0',
        ANDON_MODBUS_PORT: '0',
        ANDON_OPCUA_PORT: '0',
        [setting]: String(port),
      }),
    )
    expect(code).toBe(1)
    expect(text).toContain(setting)
  })
})

describe('a wrong call', () => {
  it('exits 2 with the usage', async () => {
    const { code, text } = await andon(['dmeo'])
    expect(code).toBe(2)
    expect(text).toContain('usage: andon COMMAND')
  })

  it('of a command with an unknown option exits 2 and names the option', async () => {
    const { code, text } = await andon(['devices', '--plnat', 'x'])
    expect(code).toBe(2)
    expect(text).toContain('--plnat')
  })
})
