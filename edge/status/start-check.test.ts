import { once } from 'node:events'
import { createServer } from 'node:net'
import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import type { DeviceStatus } from '#edge/acquisition/device.ts'
import type { UplinkStatus } from '#edge/uplink/index.ts'
import type { ConfiguredAddress } from '#shared/config/addresses.ts'
import { createLog } from '#shared/log/log.ts'
import { probe } from '#shared/reach/probe.ts'
import { type StartCheck, startCheck } from './start-check.ts'

let check: StartCheck | undefined
afterEach(() => check?.stop())

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

function address(path: (string | number)[], port: number): ConfiguredAddress {
  const place = {
    file: 'edge.yaml',
    line: path[0] === 'mqtt' ? 5 : 10 + Number(path[1]),
    column: 1,
    path: path.join('.'),
  }
  return { use: 'connect', host: '127.0.0.1', port, path, hostAt: place, portAt: place }
}

const device = (name: string, state: DeviceStatus['state']): DeviceStatus => ({
  ...{ device: name, profile: 'press', protocol: 'modbus', state, since: 0, failures: 0, overruns: 0 },
  ...{ read: 0, reported: 0, refused: 0, faults: new Map() },
})

/** Runs the check over two devices and the broker, none of which listens; returns it with its first log line. */
async function run(states: DeviceStatus['state'][], broker: UplinkStatus['state']) {
  const port = await closedPort()
  const lines = new PassThrough()
  const devices = states.map((state, i) => device(`press-${i}`, state))
  let uplink = broker
  check = startCheck({
    addresses: [address(['mqtt', 'url'], port), ...states.map((_, i) => address(['devices', i, 'modbus'], port))],
    devices: () => devices,
    uplink: () => ({ state: uplink }),
    probe,
    log: createLog({ program: 'edge', destination: lines }),
  })
  const [line] = await once(lines, 'data')
  const told = JSON.parse(String(line)) as { level: number; addresses: { at: string; found: string }[] }
  const connect = () => {
    uplink = 'connected'
  }
  return { told, connect, rest: () => lines.read(), check }
}

describe('the look at the addresses after a start', () => {
  it('tells all that do not answer in one warning, with their lines, and leaves out what the drivers reached', async () => {
    const { told, rest } = await run(['lost', 'answers', 'lost'], 'waiting')
    expect(told.level).toBe(40)
    expect(told.addresses.map(({ at }) => at)).toEqual(['edge.yaml:5', 'edge.yaml:10', 'edge.yaml:12'])
    expect(told.addresses[0]?.found).toContain('nothing listens on that port')
    expect(rest()).toBeNull()
  })

  it('forgets an address for the page as soon as it answers', async () => {
    const { connect, check } = await run(['lost'], 'waiting')
    expect(check.troubles()).toHaveLength(2)
    connect()
    expect(check.troubles().map(({ address: { path } }) => path[0])).toEqual(['devices'])
  })
})
