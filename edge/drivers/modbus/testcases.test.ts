import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse } from 'yaml'
import { silentLog } from '#shared/log/log.ts'
import { NotConnectedError, type PolledDriver, type Turn } from '../driver.ts'
import type { ModbusAddress } from './address.ts'
import { modbus } from './index.ts'
import { type Answer, type Request, type ScriptedServer, scriptedServer } from './testing/scripted-server.ts'

/** Trouble that users of other gateways reported, by project and issue: what the device did, and what must come of it. */
interface Case {
  readonly says: string
  readonly area?: 'holding' | 'coil'
  readonly refuses?: readonly number[]
  readonly silentUnits?: readonly number[]
  readonly goneUnits?: readonly number[]
  readonly onlyFromZero?: boolean
  /** The device ignores a request that comes sooner after its last reply. */
  readonly needsPauseMs?: number
  readonly devices: readonly { readonly tags: readonly number[]; readonly [setting: string]: unknown }[]
  readonly turns: number
  /** Of each device, in each turn: values by address, or that it is lost. */
  readonly expect: readonly (Readonly<Record<string, unknown>> | 'lost')[]
  /** Start and count of the requests of the last turn. */
  readonly lastTurnRequests?: readonly (readonly number[])[]
}

const root = fileURLToPath(new URL('testcases', import.meta.url))
const text = { en: 'x', 'zh-CN': 'x' }
const turn: Turn = { scan: 'normal', withinMs: 1000, signal: new AbortController().signal }

function behave(server: ScriptedServer, given: Case) {
  let repliedAt = -Infinity
  return (request: Request): Answer | undefined => {
    const isIn = (address: number) => request.start <= address && address < request.start + request.count
    const sinceMs = performance.now() - repliedAt
    repliedAt = performance.now()
    if (given.silentUnits?.includes(request.unit) || sinceMs < (given.needsPauseMs ?? 0)) return 'silence'
    if (given.goneUnits?.includes(request.unit)) return server.exception(request, 11)
    if (given.refuses?.some(isIn) || (given.onlyFromZero && request.start !== 0)) return server.exception(request, 2)
    return undefined
  }
}

type Driver = PolledDriver<ModbusAddress>

async function readOnce(driver: Driver, tags: ReadonlyMap<string, ModbusAddress>): Promise<unknown> {
  try {
    await driver.connect(turn.signal)
    const samples = await driver.read(tags, turn)
    return Object.fromEntries(samples.map(({ tag, value, quality }) => [tag, quality === 192 ? value : 'bad']))
  } catch (error) {
    if (error instanceof NotConnectedError) return 'lost'
    throw error
  }
}

describe('what was reported of other gateways', () => {
  it.each(readdirSync(root))('%s', async (name) => {
    const given = parse(readFileSync(join(root, name, 'case.yaml'), 'utf8')) as Case
    const server = await scriptedServer()
    const dataDir = mkdtempSync(join(tmpdir(), 'andon-case-'))
    const protocol = modbus.start({ now: Date.now, log: silentLog, dataDir })
    onTestFinished(async () => {
      await protocol.close()
      await server.close()
      rmSync(dataDir, { recursive: true })
    })
    for (let address = 0; address < 1200; address++) server.registers.set(address, address + 100)
    server.script = behave(server, given)
    const area = given.area ?? 'holding'
    const devices = given.devices.map(({ tags, ...settings }, i) => {
      const driver = protocol.createDriver({
        device: `d${i}`,
        profile: { profile: 'p', version: 1, name: text, assetClass: 'a', protocol: 'modbus', tags: [] },
        config: { host: '127.0.0.1', port: server.port, unit: 1, timeoutMs: 5000, connectTimeoutMs: 5000, ...settings },
      }) as Driver
      const type = area === 'coil' ? ('bit' as const) : ('uint16' as const)
      const addresses = tags.map((address) => {
        const tag = String(address)
        return [tag, driver.parseAddress({ tag, name: text, address: `${area}:${address}`, type })] as const
      })
      return { driver, tags: new Map(addresses) }
    })
    for (let i = 0; i < given.turns; i++) {
      server.requests.length = 0
      const got = await Promise.all(devices.map(({ driver, tags }) => readOnce(driver, tags)))
      expect(got, given.says).toEqual(given.expect)
    }
    if (given.lastTurnRequests)
      expect(server.requests.map(({ start, count }) => [start, count])).toEqual(given.lastTurnRequests)
    await Promise.all(devices.map(({ driver }) => driver.close()))
  })
})
