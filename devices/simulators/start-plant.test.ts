import { mkdtempSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import modbusSerial from 'modbus-serial'
import { describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { edgeDevices } from '../endpoints.ts'
import { loadPlant } from '../load-plant.ts'
import { openLedger } from './ledger.ts'
import { type PlantOptions, startPlant } from './start-plant.ts'

const whole = loadPlant(fileURLToPath(new URL('../plants/module-factory.yaml', import.meta.url)))
/** The plant without its OPC UA device: quick to start. */
const loaded = {
  ...whole,
  plant: { ...whole.plant, devices: whole.plant.devices.filter((d) => d.modbus), stories: [] },
}
const folder = mkdtempSync(join(tmpdir(), 'andon-plant-'))
const options: PlantOptions = {
  loaded,
  ports: { modbusPort: 0 },
  dataDir: folder,
  speed: 1,
  log: silentLog,
  now: Date.now,
}

describe('a running plant', () => {
  it('keeps the distances between its ports, so that it can be told to listen where it listened', async () => {
    const plant = await startPlant(options)
    const ports = plant.endpoints.map((e) => e.modbus?.port ?? 0)
    const first = Math.min(...ports)
    expect(ports.map((p) => p - first)).toEqual([0, 0, 0, 1, 1, 2, 2])
    await plant.close()
    const again = await startPlant({ ...options, ports: { modbusPort: first } })
    expect(again.endpoints.map((e) => e.modbus?.port)).toEqual(ports)
    expect(edgeDevices(loaded.plant, again.endpoints)[0]).toEqual({
      device: 'compressor-1',
      profile: 'screw-compressor',
      modbus: { host: '127.0.0.1', port: first, unit: 1 },
    })
    await again.close()
  })

  it('names the setting when its port is taken, and leaves no port open', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const start = startPlant({ ...options, ports: { modbusPort: port } })
    await expect(start).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${port}: another program listens there. Stop that program, or set ANDON_MODBUS_PORT`,
    )
    await new Promise((resolve) => other.close(resolve))
  })

  it('writes every value to its ledger, and when an answer first carried it', async () => {
    const file = join(folder, 'ledger.jsonl')
    const plant = await startPlant({ ...options, ledger: openLedger(file) })
    const port = plant.endpoints[0]?.modbus?.port ?? 0
    const client = new modbusSerial.default()
    await client.connectTCP('127.0.0.1', { port })
    client.setID(1)
    const before = Date.now()
    const [low = 0, high = 0] = (await client.readInputRegisters(0, 2)).data
    const temperature = Buffer.from(Uint16Array.of(low, high).buffer).readFloatLE()
    client.close(() => {})
    await plant.close()
    const lines = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l))
    expect(lines.filter((l) => l.kind === 'served').length).toBeGreaterThan(60)
    const answered = lines.filter((l) => l.kind === 'answered')
    expect(answered).toHaveLength(1)
    expect(answered[0]).toMatchObject({ device: 'compressor-1', tag: 'motor-temperature' })
    expect(answered[0].answeredAt).toBeGreaterThanOrEqual(before)
    expect(answered[0].value).toBe(temperature)
  })
})
