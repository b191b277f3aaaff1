import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Journal, openJournal } from '#edge/journal/index.ts'
import type { EdgeModel } from '#edge/model.ts'
import { startUplink } from '#edge/uplink/index.ts'
import { silentLog } from '#shared/log/log.ts'
import { WireHost } from '#tests/support/wire-host.ts'
import { Capture, type WireEvent } from './capture.ts'
import { PRIMARY, PRIMARY_TOPIC } from './edge-primary-host.ts'

const clock = { now: () => Date.now() }
const TIMING = { heartbeatMs: 100, reconnectMinMs: 20, reconnectMaxMs: 50 }
const CONFIG = { keepAliveSeconds: 10, acknowledgement: 'required', backlogSamplesPerSecond: 50_000 } as const
const urlOf = ({ port }: Capture) => `mqtt://127.0.0.1:${port}`

/** Two meters that a test brings to life and kills, over a journal of its own. */
function openPlant() {
  const directory = mkdtempSync(join(tmpdir(), 'conformance-'))
  const journal: Journal = openJournal({
    directory,
    config: { commitSpacingMs: 1, ballastMb: 0 },
    clock,
    log: silentLog,
  })
  const listeners = new Set<(device: string, isAlive: boolean) => void>()
  const alive = new Set(['meter-1', 'meter-2'])
  let value = 0
  const model: EdgeModel = {
    group: 'plant',
    edge: 'line-1',
    devices: [...alive].map((device) => ({
      device,
      profile: 'meter',
      tags: ['power', 'energy'].map((tag) => ({
        id: journal.tagId(device, tag, 'double'),
        device,
        tag,
        type: 'double',
      })),
      units: new Map([
        ['power', 'kW'],
        ['energy', 'kW'],
      ]),
    })),
    current: (tagId) => (tagId % 2 ? { tagId, sourceAt: Date.now(), value: 1, quality: 64 } : undefined),
    isAlive: (device) => alive.has(device),
    onDeviceChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return {
    journal,
    model,
    setAlive: (device: string, isAlive: boolean) => {
      if (isAlive) alive.add(device)
      else alive.delete(device)
      for (const listener of listeners) listener(device, isAlive)
    },
    /** A value of every tag; returns when `host` has them all. */
    append: async (host: WireHost, quality: 192 | 64 | 0 = 192) => {
      const tags = model.devices.flatMap((device) => device.tags)
      await journal.append(tags.map(({ id }) => ({ tagId: id, sourceAt: Date.now(), value: ++value, quality })))
      await host.until(() => host.committed.hasAll(1n, journal.newest))
    },
    close: async () => {
      await journal.close()
      rmSync(directory, { recursive: true })
    },
  }
}

async function openServer(events: WireEvent[], number: number) {
  const host = new WireHost('plant', 'line-1')
  await host.start()
  const capture = new Capture(() => host.port, events, number)
  await capture.start()
  const close = async () => {
    await capture.stop()
    await host.stop()
  }
  return { host, capture, close }
}

/** One life of an edge node: births, data, a device that dies and returns, a rebirth, a cut link, a clean stop. */
export async function liveOnce(events: WireEvent[]): Promise<void> {
  const { host, capture, close } = await openServer(events, 0)
  const { journal, model, setAlive, append, close: closePlant } = openPlant()
  const config = { ...CONFIG, url: urlOf(capture) }
  const uplink = startUplink({ config, model, journal, clock, log: silentLog, timing: TIMING })
  await host.until(() => host.of('NDATA').length > 1)
  await append(host)
  await append(host, 0)
  setAlive('meter-1', false)
  await host.until(() => host.of('DDEATH').length === 1)
  setAlive('meter-1', true)
  await append(host, 64)
  host.command([{ name: 'Node Control/Rebirth', datatype: 11, boolean_value: true }])
  await host.until(() => host.of('NBIRTH').length === 2 && host.of('DBIRTH').length === 5)
  for (let i = 0; i < 150; i++) await append(host)
  capture.cut()
  await host.until(() => host.of('NBIRTH').length === 3)
  await append(host)
  await host.until(() => host.messages.at(-1)?.kind === 'NDATA')
  await uplink.close()
  await closePlant()
  await close()
}

const stateOf = (online: boolean, timestamp: number) => Buffer.from(JSON.stringify({ online, timestamp }))

/** A node that follows a primary host: first on one server, then on two. */
export async function followHost(events: WireEvent[]): Promise<void> {
  await followOnOne(events)
  await followOnTwo(events)
}

/** Waits, is born, leaves with it and comes back; what is older than what it knows says nothing. */
async function followOnOne(events: WireEvent[]): Promise<void> {
  const { host, capture, close } = await openServer(events, 0)
  const { journal, model, append, close: closePlant } = openPlant()
  const config = { ...CONFIG, url: urlOf(capture), primaryHost: PRIMARY }
  const uplink = startUplink({ config, model, journal, clock, log: silentLog, timing: TIMING })
  const subscribed = () => host.subscriptions.filter((topic) => topic === PRIMARY_TOPIC).length
  const say = (online: boolean, timestamp: number) => host.deliver(PRIMARY_TOPIC, stateOf(online, timestamp))
  await host.until(() => subscribed() === 1)
  await say(false, 90)
  await say(true, 80)
  await say(true, 100)
  await host.until(() => host.of('DBIRTH').length === 2)
  await say(false, 50)
  await append(host)
  await say(false, 200)
  await host.until(() => subscribed() === 2)
  await say(true, 150)
  await say(true, 300)
  await host.until(() => host.of('DBIRTH').length === 4)
  await uplink.close()
  await closePlant()
  await close()
}

/** Goes where the primary host is, and after it when it moves. */
async function followOnTwo(events: WireEvent[]): Promise<void> {
  const one = await openServer(events, 1)
  const two = await openServer(events, 2)
  const { journal, model, close: closePlant } = openPlant()
  const say = ({ host }: typeof one, online: boolean, timestamp: number) =>
    host.publish(PRIMARY_TOPIC, stateOf(online, timestamp), true)
  say(one, false, 10)
  say(two, true, 20)
  const config = { ...CONFIG, url: urlOf(one.capture), servers: [urlOf(two.capture)], primaryHost: PRIMARY }
  const uplink = startUplink({ config, model, journal, clock, log: silentLog, timing: TIMING })
  await two.host.until(() => two.host.of('DBIRTH').length === 2)
  say(one, true, 30)
  say(two, false, 40)
  await one.host.until(() => one.host.of('DBIRTH').length === 2)
  await uplink.close()
  await closePlant()
  await one.close()
  await two.close()
}
