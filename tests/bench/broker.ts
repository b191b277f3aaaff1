/**
 * CPU that a message costs the embedded broker, beside aedes alone, in turns in one run; the load is a process of its own:
 * `node tests/bench/broker.ts [--seconds N] [--rounds N]`. Prints one JSON object as the last line.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Aedes } from 'aedes'
import { generate } from 'mqtt-packet'
import { startBroker } from '#cloud/pipeline/broker/embedded.ts'
import { hashGeneratedSecret } from '#cloud/pipeline/broker/secret.ts'
import { silentLog } from '#shared/log/log.ts'
import { machine } from './bench.ts'

const SECRET = 'bench-secret'
const CONNECTIONS = 4
/** Bytes of a payload with 1 and with 100 double metrics by alias, as our edges send them. */
const PAYLOAD_BYTES = { one: 40, hundred: 2300 } as const
type Size = keyof typeof PAYLOAD_BYTES

interface Work {
  readonly role: 'aedes' | 'product' | 'load'
  readonly port?: number
  readonly size?: Size
  readonly seconds?: number
  /** Messages a second over all connections; none: as fast as they are taken. */
  readonly rate?: number
}

const ROLES = {
  /** Aedes as its manual shows it: no rights, no limits, a subscription in process. */
  async aedes(): Promise<void> {
    const aedes = await Aedes.createBroker()
    let heard = 0
    await new Promise<void>((done) => {
      const count = (_: unknown, next: () => void) => {
        heard += 1
        next()
      }
      aedes.subscribe('spBv1.0/#', count, done)
    })
    const server = createServer({ noDelay: true }, aedes.handle).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    answer(typeof address === 'object' && address ? address.port : 0, () => heard)
  },
  /** The broker as the product starts it. */
  async product(): Promise<void> {
    let heard = 0
    const hash = hashGeneratedSecret(SECRET)
    const options = { host: '127.0.0.1', port: 0, secretHash: () => hash, clock: Date.now, log: silentLog }
    const broker = await startBroker(options)
    await broker.consume(() => {
      heard += 1
    })
    for (let edge = 0; edge < CONNECTIONS; edge++) await broker.subscribeEdge({ group: 'bench', edge: `e${edge}` })
    answer(broker.port, () => heard)
  },
  async load({ port = 0, size = 'one', seconds = 1, rate }: Work): Promise<void> {
    const sent = await Promise.all(
      Array.from({ length: CONNECTIONS }, (_, edge) =>
        pour({ port, edge, size, seconds, rate: rate && rate / CONNECTIONS }),
      ),
    )
    const [most] = sent.map((one) => one.seconds).toSorted((a, b) => b - a)
    process.send?.({ sent: sent.reduce((sum, one) => sum + one.count, 0), took: most })
  },
}

/** Tells the port, and at each question how many messages came and what CPU that took, µs. */
function answer(port: number, heard: () => number): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    process.send?.({ heard: heard(), cpuMicros: user + system })
  })
  process.send?.({ port })
}

interface Pour {
  readonly port: number
  readonly edge: number
  readonly size: Size
  readonly seconds: number
  readonly rate: number | undefined
}

/** Writes messages for a while and answers how many. */
async function pour({ port, edge, size, seconds, rate }: Pour): Promise<{ count: number; seconds: number }> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const login = { username: `bench/e${edge}`, password: Buffer.from(SECRET) }
  const base = { cmd: 'connect', clientId: `e${edge}`, clean: true, keepalive: 60, protocolId: 'MQTT' } as const
  socket.write(generate({ ...base, ...login, protocolVersion: 4 }))
  await once(socket, 'data')
  socket.resume()
  const topic = `spBv1.0/bench/NDATA/e${edge}`
  const payload = Buffer.alloc(PAYLOAD_BYTES[size], 7)
  const one = generate({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false })
  const perWrite = rate ? Math.max(1, Math.round(rate / 100)) : Math.ceil(65_536 / one.length)
  const chunk = Buffer.concat(Array.from({ length: perWrite }, () => one))
  const startedAt = performance.now()
  let writes = 0
  while (performance.now() - startedAt < seconds * 1000) {
    const isRoom = socket.write(chunk)
    writes += 1
    if (!isRoom) await once(socket, 'drain')
    const dueAt = rate ? startedAt + (writes * perWrite * 1000) / rate : 0
    const early = dueAt - performance.now()
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early))
  }
  socket.end(Buffer.from([0xe0, 0]))
  await once(socket, 'close')
  return { count: writes * perWrite, seconds: (performance.now() - startedAt) / 1000 }
}

async function start(role: Work['role']): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(fileURLToPath(import.meta.url))
  child.send({ role } satisfies Work)
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { child, port }
}

async function ask(child: ChildProcess): Promise<{ heard: number; cpuMicros: number }> {
  child.send('?')
  const [told] = (await once(child, 'message')) as [{ heard: number; cpuMicros: number }]
  return told
}

interface Measured {
  readonly messagesPerSecond: number
  readonly cpuMicrosPerMessage: number
  readonly lost: number
}

async function measure(broker: { child: ChildProcess; port: number }, work: Omit<Work, 'role'>): Promise<Measured> {
  const load = fork(fileURLToPath(import.meta.url))
  const before = await ask(broker.child)
  load.send({ role: 'load', port: broker.port, ...work } satisfies Work)
  const [{ sent, took }] = (await once(load, 'message')) as [{ sent: number; took: number }]
  load.kill('SIGKILL')
  const after = await ask(broker.child)
  const heard = after.heard - before.heard
  return {
    messagesPerSecond: Math.round(heard / took),
    cpuMicrosPerMessage: (after.cpuMicros - before.cpuMicros) / heard,
    lost: sent - heard,
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const round = (value: number): number => Math.round(value * 100) / 100

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seconds: { type: 'string' }, rounds: { type: 'string' } } })
  const [seconds, rounds] = [Number(values.seconds ?? 1), Number(values.rounds ?? 3)]
  const brokers = { aedes: await start('aedes'), product: await start('product') }
  const costs: Record<string, object> = {}
  for (const size of ['hundred', 'one'] as const) {
    const seen: Record<'aedes' | 'product', Measured[]> = { aedes: [], product: [] }
    for (let i = 0; i < rounds; i++) {
      for (const role of ['aedes', 'product'] as const) seen[role].push(await measure(brokers[role], { size, seconds }))
    }
    const cost = (role: 'aedes' | 'product') => median(seen[role].map((one) => one.cpuMicrosPerMessage))
    costs[size] = {
      ...{ aedesMicros: round(cost('aedes')), productMicros: round(cost('product')) },
      ratio: round(cost('product') / cost('aedes')),
      productPerSecond: median(seen.product.map((one) => one.messagesPerSecond)),
      lost: seen.product.reduce((sum, one) => sum + one.lost, 0),
    }
  }
  const paced = {
    tenThousandOfHundred: await measure(brokers.product, { size: 'hundred', seconds: 3 * seconds, rate: 10_000 }),
    twentyFiveThousandOfOne: await measure(brokers.product, { size: 'one', seconds: 3 * seconds, rate: 25_000 }),
  }
  for (const { child } of Object.values(brokers)) child.kill('SIGKILL')
  process.stdout.write(`${JSON.stringify({ bench: 'broker', seconds, machine: machine(), ...costs, paced })}\n`)
}

if (process.send) process.once('message', (work) => void ROLES[(work as Work).role](work as Work))
else await main()
