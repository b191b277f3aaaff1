import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Aedes } from 'aedes'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { loadEdgeConfig } from './config.ts'
import { type ScriptedServer, scriptedServer } from './drivers/modbus/testing/scripted-server.ts'
import { openJournal } from './journal/index.ts'
import { startEdge } from './main.ts'

const clock = { now: Date.now, monotonic: () => performance.now() }
const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function plant(): Promise<ScriptedServer> {
  const server = await scriptedServer()
  closers.push(() => server.close())
  return server
}

/** A broker that remembers the topics published to it, in order. */
async function broker() {
  const aedes = await Aedes.createBroker()
  const topics: string[] = []
  aedes.on('publish', ({ topic }, client) => client && topics.push(topic))
  const server = createServer({ noDelay: true }, aedes.handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => new Promise<void>((resolve) => aedes.close(() => server.close(() => resolve()))))
  const { port } = server.address() as { port: number }
  const seen = async (topic: string) => {
    while (!topics.includes(topic)) await once(aedes, 'publish')
  }
  return { port, topics, seen }
}

function configOf(modbusPort: number, mqttPort: number, statusPort = 0) {
  const folder = mkdtempSync(join(tmpdir(), 'andon-edge-'))
  closers.push(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'profiles'))
  writeFileSync(
    join(folder, 'profiles', 'meter.yaml'),
    `profile: meter
version: 1
name: { en: Meter, zh-CN: 电表 }
assetClass: meter
protocol: modbus
tags:
  - { tag: power, name: { en: Power, zh-CN: 功率 }, address: "holding:0", type: uint16, scan: fast }
`,
  )
  writeFileSync(
    join(folder, 'edge.yaml'),
    `version: 1
group: plant
edge: line-1
profiles: ./profiles
mqtt: { url: "mqtt://127.0.0.1:${mqttPort}" }
status: { port: ${statusPort} }
scan: { fast: 20 }
devices:
  - { device: meter-1, profile: meter, modbus: { host: 127.0.0.1, port: ${modbusPort} } }
`,
  )
  return loadEdgeConfig(join(folder, 'edge.yaml'), {})
}

describe('the edge agent', () => {
  it('carries a register to the broker, and tells its death when it stops', async () => {
    const [device, mqtt] = [await plant(), await broker()]
    const config = configOf(device.port, mqtt.port)
    const edge = await startEdge({ config, clock, log: silentLog })
    await mqtt.seen('spBv1.0/plant/DBIRTH/line-1/meter-1')
    device.registers.set(0, 42)
    await mqtt.seen('spBv1.0/plant/DDATA/line-1/meter-1')
    const page = await fetch(`${edge.pageUrl}api/status`, { headers: { authorization: `Bearer ${edge.token}` } })
    expect(await page.json()).toMatchObject({ devices: [{ device: 'meter-1', state: 'answers' }] })
    await edge.stop()
    await edge.stop()
    expect(mqtt.topics.at(-1)).toBe('spBv1.0/plant/NDEATH/line-1')
    expect(device.connections()).toBe(0)
  })

  it('keeps what it read on disk while there is no cloud', async () => {
    const device = await plant()
    device.registers.set(0, 7)
    const config = configOf(device.port, 1)
    const edge = await startEdge({ config, clock, log: silentLog })
    const depth = async () => {
      const page = await fetch(`${edge.pageUrl}api/status`, { headers: { authorization: `Bearer ${edge.token}` } })
      return ((await page.json()) as { journal: { depth: number } }).journal.depth
    }
    while ((await depth()) === 0) await new Promise(setImmediate)
    await edge.stop()
    const journal = openJournal({ directory: join(config.data, 'journal'), clock, log: silentLog })
    const samples = journal.read(1n, 10).flatMap((record) => record.samples)
    expect(samples[0]).toMatchObject({ value: 7, quality: 192 })
    await journal.close()
  })

  it('leaves nothing behind when the port of its page is in use', async () => {
    const device = await plant()
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    closers.push(() => new Promise((resolve) => other.close(resolve)))
    const { port } = other.address() as { port: number }
    const config = configOf(device.port, 1, port)
    await expect(startEdge({ config, clock, log: silentLog })).rejects.toThrow('ANDON_EDGE_PORT')
    const journal = openJournal({ directory: join(config.data, 'journal'), clock, log: silentLog })
    await journal.close()
  })
})
