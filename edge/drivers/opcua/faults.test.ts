import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataType } from 'node-opcua'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import type { Protocol } from '../driver.ts'
import { opcua } from './index.ts'
import { Device } from './testing/device.ts'
import { type LinkProxy, startProxy } from './testing/proxy.ts'
import { setNumber, startServer, TAGS, type TestServer } from './testing/server.ts'

const root = mkdtempSync(join(tmpdir(), 'andon-opcua-faults-'))
const NUMBER = { temperature: TAGS.temperature }

let plant: TestServer
let proxy: LinkProxy
let protocol: Protocol
let machine: Device

beforeAll(async () => {
  plant = await startServer({ pki: join(root, 'server') })
  protocol = opcua.start({ now: Date.now, log: silentLog, dataDir: join(root, 'edge') })
})
afterAll(async () => {
  await protocol.close()
  await plant.stop()
  rmSync(root, { recursive: true })
})
beforeEach(async () => {
  setNumber(plant.nodes.temperature, 1)
  proxy = await startProxy(plant.port)
  machine = new Device(protocol, { url: proxy.url })
  await machine.connect()
  machine.subscribe(NUMBER)
  await machine.waitFor(() => machine.last('temperature')?.value === 1)
})
afterEach(async () => {
  proxy.release()
  await machine.stop()
  await proxy.close()
})

const values = () => machine.samples.map(({ value }) => value)
const change = async (value: number) => {
  setNumber(plant.nodes.temperature, value)
  await machine.waitFor(() => machine.last('temperature')?.value === value)
}
/** The server's sessions, which its library lists by no public means. */
const sessions = () => {
  const engine = plant.server.engine as unknown as { _sessions: Record<string, ServerSession> }
  return Object.values(engine._sessions)
}
interface ServerSession {
  readonly authenticationToken: unknown
  readonly publishEngine: { readonly subscriptions: readonly ServerSubscription[] }
}
interface ServerSubscription {
  terminate(): void
  readonly monitoredItems: ReadonlyMap<number, { readonly overflow: boolean }>
}
/** Items of the newest session; those before may still wait for a client that was cut off. */
const items = () =>
  (sessions().at(-1)?.publishEngine.subscriptions ?? []).flatMap(({ monitoredItems }) => [...monitoredItems.values()])
const hasOverflow = () => items().some(({ overflow }) => overflow)

describe('a server that ends a subscription', () => {
  it('is asked for another one over the same session; the value of now comes, the gap between is told', async () => {
    const [session] = sessions()
    for (const subscription of session?.publishEngine.subscriptions ?? []) subscription.terminate()
    setNumber(plant.nodes.temperature, 2)
    await machine.waitFor(() => machine.last('temperature')?.value === 2)
    await machine.waitFor(() => machine.missed.length > 0)
    expect(sessions()).toEqual([session])
    expect(machine.missed[0]).toMatchObject({ cause: 'device-silent' })
    await change(3)
  })
})

describe('a server that ends a session', () => {
  it('is given a new one over the same connection; the value of now comes', async () => {
    const [session] = sessions()
    plant.server.engine.closeSession(session?.authenticationToken as never, true, 'Terminated' as never)
    setNumber(plant.nodes.temperature, 4)
    await machine.waitFor(() => machine.last('temperature')?.value === 4)
    await change(5)
  })
})

describe('a link that is open on this side alone', () => {
  it('is lost as silent after three keep-alive intervals, and stands again when the link does', async () => {
    proxy.hold()
    setNumber(plant.nodes.temperature, 6)
    expect(await machine.ended).toMatchObject({ kind: 'silent' })
    expect(machine.last('temperature')?.value).toBe(1)
    proxy.release()
    await machine.reconnect()
    machine.subscribe(NUMBER)
    await machine.waitFor(() => machine.last('temperature')?.value === 6)
    await machine.waitFor(() => machine.missed.length > 0)
  })
})

describe('a server that is slow', () => {
  it('gives every value, in order and with its own time', async () => {
    proxy.delay(600)
    const at = new Date()
    setNumber(plant.nodes.temperature, 7, at)
    await machine.waitFor(() => machine.last('temperature')?.value === 7)
    expect(machine.last('temperature')?.sourceAt).toBe(at.getTime())
    await change(8)
    expect(values()).toEqual([1, 7, 8])
    expect(machine.missed).toEqual([])
  })
})

describe('a connection that breaks', () => {
  it('costs no value of a server with history: they are read back once each, without those received', async () => {
    plant.space.installHistoricalDataNode(plant.nodes.temperature, { maxOnlineValues: 1000 })
    await change(10)
    const last = machine.last('temperature')?.sourceAt ?? 0
    proxy.cut()
    expect(await machine.ended).toMatchObject({ kind: 'closed' })
    for (let i = 1; i <= 50; i++) setNumber(plant.nodes.temperature, 10 + i, new Date(last + i * 10))
    proxy.mend()
    await machine.reconnect()
    machine.subscribe(NUMBER)
    await machine.waitFor(() => machine.past.length >= 49)
    expect(machine.past.map(({ value }) => value)).toEqual(Array.from({ length: 49 }, (_, i) => 11 + i))
    expect(machine.past.map(({ sourceAt }) => sourceAt)).toEqual(
      Array.from({ length: 49 }, (_, i) => last + 10 + i * 10),
    )
    expect(machine.last('temperature')?.value).toBe(60)
    await change(61)
    expect(machine.missed).toEqual([])
  })

  it('is a gap from the last sign of life to the first value when the server keeps no history', async () => {
    const other = new Device(protocol, { url: proxy.url })
    await other.connect()
    other.subscribe({ recipe: TAGS.recipe })
    await other.waitFor(() => other.last('recipe') !== undefined)
    const cutAt = Date.now()
    proxy.cut()
    await other.ended
    plant.nodes.recipe.setValueFromSource({ dataType: DataType.String, value: 'B2' })
    proxy.mend()
    await other.reconnect()
    other.subscribe({ recipe: TAGS.recipe })
    await other.waitFor(() => other.missed.length > 0)
    const [gap] = other.missed
    expect(gap).toMatchObject({ cause: 'device-silent', count: 0 })
    expect(gap?.from).toBeLessThanOrEqual(cutAt)
    expect(gap?.to).toBeGreaterThanOrEqual(cutAt)
    expect(other.past).toEqual([])
    await other.stop()
  })

  it('is no gap when nothing changed meanwhile', async () => {
    proxy.cut()
    await machine.ended
    proxy.mend()
    await machine.reconnect()
    machine.subscribe(NUMBER)
    await machine.waitFor(() => machine.samples.length >= 2)
    await change(21)
    expect(machine.missed).toEqual([])
    expect(machine.past).toEqual([])
  })
})

describe('a server whose queue runs over', () => {
  it('leaves the newest values, the first of them uncertain, and a gap with the count', async () => {
    const pid = protocol.lanes()[0]?.pid ?? 0
    process.kill(pid, 'SIGSTOP')
    let value = 100
    while (!hasOverflow()) {
      setNumber(plant.nodes.temperature, ++value)
      await new Promise(setImmediate)
    }
    process.kill(pid, 'SIGCONT')
    await machine.waitFor(() => machine.last('temperature')?.value === value)
    const uncertain = machine.samples.filter(({ quality }) => quality === 64)
    expect(uncertain.length).toBeGreaterThan(0)
    expect(uncertain[0]?.reason).toContain('ran over')
    await machine.waitFor(() => machine.missed.some(({ cause }) => cause === 'queue-overflow'))
    expect(machine.missed[0]?.count).toBeGreaterThan(0)
  })
})
