import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EdgeRegistered } from '#shared/contracts/edge.ts'
import type { History, RawHistory, Retained } from '#shared/contracts/history.ts'
import { silentLog } from '#shared/log/log.ts'
import { type Client, signIn } from '#tests/support/client.ts'
import { connectScriptedEdge } from '#tests/support/sparkplug-edge.ts'
import { readCloudConfig } from '../config.ts'
import { type Cloud, startCloud } from '../main.ts'
import { openDuckDbHistorian } from '../pipeline/historian/duckdb/client.ts'

const SEED = fileURLToPath(new URL('../../devices/plants/module-factory.organisation.yaml', import.meta.url))
const PASSWORD = 'a long demo password'
const EDGE = { group: 'module-factory', edge: 'line-9' }
const [POWER, ENERGY] = ['module-factory/line-9/meter-1/power', 'module-factory/line-9/meter-1/energy']
const HOUR = 3_600_000
/** A day that is over, so that its values end up in files of their own. */
const AT = Math.floor(Date.now() / HOUR) * HOUR - 20 * 24 * HOUR

const PROFILE = `profile: meter
version: 1
name: { en: Meter, zh-CN: 电表 }
assetClass: meter
protocol: modbus
tags:
  - { tag: power, name: { en: Power, zh-CN: 功率 }, address: "holding:0", type: int16, retention: fast }
  - { tag: energy, name: { en: Energy, zh-CN: 电能 }, address: "holding:1", type: int16 }
`

let dir: string
let cloud: Cloud
let engineer: Client
const write = (name: string, text: string) => {
  writeFileSync(join(dir, name), text)
  return join(dir, name)
}
const cloudFile = (fast: string) =>
  write('cloud.yaml', `version: 1\nprofiles: ./profiles\nseed: ${SEED}\nhistory:\n  retention:\n    fast: ${fast}\n`)

async function start(file: string): Promise<void> {
  const ports = { ANDON_HTTP_PORT: '0', ANDON_MQTT_PORT: '0' }
  const env = { ...ports, ANDON_DATA: join(dir, 'data'), ANDON_DEMO_PASSWORD: PASSWORD }
  cloud = await startCloud(readCloudConfig({ file }, env), silentLog)
  engineer = await signIn(cloud.url ?? '', 'engineer', PASSWORD)
}
async function stop(): Promise<void> {
  engineer.close()
  await cloud.stop()
}

const span = `from=${new Date(AT).toISOString()}&to=${new Date(AT + HOUR).toISOString()}`
const rawOf = async (path: string) => (await engineer.get<RawHistory>(`/api/history/raw?tag=${path}&${span}`)).value
const historyOf = (path: string) => engineer.get<History>(`/api/history?tag=${path}&${span}&points=1000`)
const eventually = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: 30_000, interval: 50 })

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'andon-keep-'))
  mkdirSync(join(dir, 'profiles'))
  write('profiles/meter.yaml', PROFILE)
})
afterAll(async () => {
  await stop()
  rmSync(dir, { recursive: true, force: true })
})

/** An edge of another make, born with its meter; a value of each tag that is twenty days old. */
async function sendOldValues(): Promise<void> {
  const { body } = await engineer.post<EdgeRegistered>('/api/edges', EDGE)
  const edge = await connectScriptedEdge({ port: cloud.mqttPort, ...EDGE, secret: body.secret })
  await edge.birth(0n, 0n)
  const tags = ['power', 'energy'].map((tag, i) => ({ tag, alias: 10 + i, type: 'double' as const }))
  await edge.deviceBirth('meter-1', tags, { profile: 'meter', at: AT })
  await edge.data(
    'meter-1',
    tags.map(({ alias, type }, i) => ({ alias, type, at: AT + 60_000, value: i + 1 })),
  )
  await eventually(() => rawOf(ENERGY)).toEqual([2])
  await edge.close()
}

/** What ten minutes of work do: the open slot becomes files, each class its own. */
async function sortIntoFiles(): Promise<void> {
  const history = await openDuckDbHistorian({ dir: join(dir, 'data/history'), log: silentLog, graceMs: 0 })
  await history.settle()
  await history.close()
}

describe('retention in cloud.yaml', { timeout: 120_000 }, () => {
  it('puts a tag into the class of its profile and removes what its class ends, told beside the answer', async () => {
    await start(cloudFile('{ values: 2d, minutes: 5y }'))
    await sendOldValues()
    expect(await rawOf(POWER)).toEqual([1])
    await stop()
    await sortIntoFiles()
    await start(cloudFile('{ values: 2d, minutes: 5y }'))
    await eventually(() => rawOf(POWER)).toEqual([])
    const { items } = await engineer.get<Retained>(`/api/history/retention?tag=${POWER}&tag=${ENERGY}`)
    expect(items).toMatchObject([
      { path: POWER, removedUntil: { values: new Date(AT + 60_000).toISOString() } },
      { path: ENERGY, removedUntil: { values: null } },
    ])
    // The minute stands in for the value.
    expect((await historyOf(POWER)).series).toMatchObject([{ last: [1] }])
    expect(await rawOf(ENERGY)).toEqual([2])
  })
})
