import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { ConfiguredAddress } from '#shared/config/addresses.ts'
import type { Lookup } from './lookup.ts'
import { systemLookup } from './lookup.ts'
import { probe } from './probe.ts'
import { troubleFault } from './words.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

async function listening() {
  const clients: (number | undefined)[] = []
  const server = createServer((socket) => {
    clients.push(socket.remotePort)
    socket.on('error', () => undefined).resume()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => server.close())
  const { port } = server.address() as { port: number }
  /** How many connections came before one that is made now: a server takes them in their order. */
  const connections = async () => {
    const last = connect(port, '127.0.0.1')
    await once(last, 'connect')
    const { localPort } = last
    while (!clients.includes(localPort)) await once(server, 'connection')
    last.destroy()
    return clients.indexOf(localPort)
  }
  return { port, connections }
}

/** A port where nothing listens: one that was free a moment ago. */
async function closedPort(): Promise<number> {
  const { port } = await listening()
  closers.pop()?.()
  return port
}

const address = (host: string, port: number, use: ConfiguredAddress['use'] = 'connect'): ConfiguredAddress => ({
  use,
  host,
  port,
  path: ['devices', 0, 'modbus'],
  hostAt: { file: 'edge.yaml', line: 3, column: 7, path: 'devices[0].modbus.host' },
  portAt: { file: 'edge.yaml', line: 4, column: 7, path: 'devices[0].modbus.port' },
})

const names: Lookup = async (hosts) =>
  hosts.map((host) =>
    host === 'here' ? { host, addresses: [{ address: '127.0.0.1', family: 4 }] } : { host, code: 'ENOTFOUND' },
  )
const tried = (addresses: readonly ConfiguredAddress[]) => probe(addresses, { limitMs: 2000, lookup: names })

describe('trying addresses', () => {
  it('finds no fault in one that answers, and connects once however often it stands there', async () => {
    const { port, connections } = await listening()
    expect(await tried([address('127.0.0.1', port), address('127.0.0.1', port), address('here', port)])).toEqual([])
    expect(await connections()).toBe(2)
  })

  it('tells a closed port at the port, an unknown name at the host, all in one round', async () => {
    const port = await closedPort()
    const troubles = await tried([address('127.0.0.1', port), address('nowhere.invalid', 502), address('here', port)])
    expect(troubles.map(troubleFault)).toMatchObject([
      {
        line: 4,
        path: 'devices[0].modbus.port',
        found: `127.0.0.1:${port}: nothing listens on that port (connection refused)`,
      },
      { line: 3, path: 'devices[0].modbus.host', found: "'nowhere.invalid': this host name is not known" },
      { line: 4, path: 'devices[0].modbus.port' },
    ])
  })

  it('asks of an address to listen on that it belongs to this machine, not that its port is free', async () => {
    const { port } = await listening()
    const troubles = await tried([address('127.0.0.1', port, 'listen'), address('192.0.2.1', 0, 'listen')])
    expect(troubles.map(troubleFault)).toMatchObject([{ found: "'192.0.2.1': not an address of this machine" }])
  })
})

describe('looking names up', () => {
  it('knows this machine, and not a name that never exists', async () => {
    const [here, nowhere] = await systemLookup(['localhost', 'no-such-host.invalid'], 10_000)
    expect(here).toMatchObject({ host: 'localhost', addresses: expect.arrayContaining([expect.anything()]) })
    expect(nowhere).toMatchObject({ code: expect.stringMatching(/^E/) })
  })

  it('answers for every name within its limit, however slow the name server is', async () => {
    expect(await systemLookup(['no-such-host.invalid'], 0)).toEqual([
      { host: 'no-such-host.invalid', code: expect.stringMatching(/^(ETIMEOUT|ENOTFOUND|EAI_AGAIN)$/) },
    ])
  })
})
