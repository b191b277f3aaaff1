import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import type { Protocol } from '../driver.ts'
import { opcua } from './index.ts'
import { Device } from './testing/device.ts'
import { startMessageProxy } from './testing/message-proxy.ts'
import { NAMESPACE, setNumber, startServer, type TestServer } from './testing/server.ts'

const root = mkdtempSync(join(tmpdir(), 'andon-opcua-ladder-'))
let plant: TestServer
let protocol: Protocol
beforeAll(async () => {
  plant = await startServer({ pki: join(root, 'server') })
  protocol = opcua.start({ now: Date.now, log: silentLog, dataDir: join(root, 'edge') })
})
afterAll(async () => {
  await protocol.close()
  await plant.stop()
  rmSync(root, { recursive: true })
})

/** A device with one tag behind a proxy of its own; its first value, 1, is there. */
async function watched(name: string) {
  const proxy = await startMessageProxy(plant.port)
  const node = plant.addNumber(name, 1)
  const machine = new Device(protocol, { url: proxy.url, security: 'None' })
  await machine.connect()
  machine.subscribe({ [name]: `nsu=${NAMESPACE};s=${name}` })
  await machine.waitFor(() => machine.samples.length > 0)
  const loseChange = async (value: number) => {
    setNumber(node, value)
    await proxy.lost(value - 1)
  }
  const change = async (value: number) => {
    setNumber(node, value)
    await machine.waitFor(() => machine.last(name)?.value === value)
  }
  const values = () => machine.samples.map(({ value }) => value)
  const stop = async () => {
    await machine.stop()
    await proxy.close()
  }
  return { machine, proxy, loseChange, change, values, stop }
}

describe.concurrent('messages of a server that get lost on the way', { timeout: 60_000 }, () => {
  it('are fetched again by their number when the next one shows the hole', async ({ expect }) => {
    const { machine, proxy, loseChange, change, values, stop } = await watched('Hole')
    proxy.loseOne()
    await loseChange(2)
    await change(3)
    expect(values()).toEqual([1, 2, 3])
    expect(machine.missed).toEqual([])
    expect(proxy.asked).toEqual(['CreateSession', 'CreateSubscription', 'Republish'])
    await stop()
  })

  it('are fetched when nothing comes any more, by the first rung', async ({ expect }) => {
    const { machine, proxy, loseChange, change, values, stop } = await watched('Silence')
    proxy.loseUntil('Republish')
    await loseChange(2)
    await loseChange(3)
    await machine.waitFor(() => values().length === 3)
    await change(4)
    expect(values()).toEqual([1, 2, 3, 4])
    expect(machine.missed).toEqual([])
    expect(proxy.asked.filter((service) => service !== 'Republish')).toEqual(['CreateSession', 'CreateSubscription'])
    await stop()
  })

  it('are not missed either when only the second rung, modifying the subscription, brings them back', async ({
    expect,
  }) => {
    const { machine, proxy, loseChange, change, values, stop } = await watched('Modified')
    proxy.loseUntil('ModifySubscription')
    await loseChange(2)
    await loseChange(3)
    await proxy.hears('ModifySubscription')
    await change(4)
    expect(values()).toEqual([1, 2, 3, 4])
    expect(machine.missed).toEqual([])
    const climbed = proxy.asked.filter((service, i) => service !== proxy.asked[i - 1])
    expect(climbed).toEqual(['CreateSession', 'CreateSubscription', 'Republish', 'ModifySubscription'])
    await stop()
  })
})
