import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import modbusSerial from 'modbus-serial'
import { describe, expect, it } from 'vitest'

const andon = fileURLToPath(new URL('../andon.ts', import.meta.url))
const devices = (path: string) => fileURLToPath(new URL(`../devices/${path}`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'andon-devices-'))
const plant = join(folder, 'plant.yaml')
writeFileSync(
  plant,
  `version: 1
plant: small
name: { en: Small, zh-CN: 小 }
profiles: ${devices('profiles')}
devices:
  - device: compressor-1
    profile: screw-compressor
    modbus: { port: 5020, unit: 1 }
    everyMs: 20
    machine: { model: compressor }
    replay:
      time: { column: timestamp, unit: datetime }
      columns: { motor-temperature: value }
      start: now
      clips: { now: { file: ${devices('recordings/nab/machine_temperature_system_failure.csv')}, to: "2013-12-03" } }
stories:
  - story: failure
    steps:
      - { step: trip, do: [{ device: compressor-1, command: trip }] }
      - { step: repair, waitFor: { workOrderDone: compressor-1 }, do: [{ device: compressor-1, command: start }] }
`,
)

function start(env: Record<string, string>, ...args: string[]): ChildProcess {
  const options = { silent: true, env: { ANDON_OPCUA_PORT: '0', ...env } }
  return fork(andon, ['devices', '--plant', plant, '--data', folder, ...args], options)
}
const exited = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code))
  })
const message = (child: ChildProcess) =>
  new Promise<{ endpoints: { modbus: { port: number } }[] }>((resolve) => {
    child.once('message', (m) => resolve(m as { endpoints: { modbus: { port: number } }[] }))
  })

async function stateBecomes(port: number, state: number): Promise<number> {
  const client = new modbusSerial.default()
  await client.connectTCP('127.0.0.1', { port })
  client.setID(1)
  for (;;) {
    const [now = -1] = (await client.readInputRegisters(18, 1)).data
    if (now !== state) continue
    client.close(() => {})
    return now
  }
}

describe('andon devices', () => {
  it('tells its parent where devices answer, repairs a machine when its work order is done, and stops with 0', async () => {
    const ledger = join(folder, 'ledger.jsonl')
    const child = start({ ANDON_MODBUS_PORT: '0' }, '--ledger', ledger)
    const { endpoints } = await message(child)
    const port = endpoints[0]?.modbus.port ?? 0
    expect(await stateBecomes(port, 7)).toBe(7)
    child.send({ type: 'work-order-done', device: 'compressor-1' })
    expect(await stateBecomes(port, 1)).toBe(1)
    const end = exited(child)
    child.kill('SIGTERM')
    expect(await end).toBe(0)
    expect(readFileSync(ledger, 'utf8')).toMatch(/^\{"kind":"served","device":"compressor-1"/)
  })

  it('stops when its parent lets go of it', async () => {
    const child = start({ ANDON_MODBUS_PORT: '0' })
    await message(child)
    const end = exited(child)
    child.disconnect()
    expect(await end).toBe(0)
  })

  it('fails with 1 and names the setting when its port is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const child = start({ ANDON_MODBUS_PORT: String(port) })
    let text = ''
    child.stderr?.on('data', (chunk) => {
      text += chunk
    })
    expect(await exited(child)).toBe(1)
    expect(text).toContain(`Cannot listen on 127.0.0.1:${port}: another program listens there.`)
    expect(text).toContain('ANDON_MODBUS_PORT')
    await new Promise((resolve) => other.close(resolve))
  })
})
