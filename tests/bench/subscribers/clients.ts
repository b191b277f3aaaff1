import WebSocket from 'ws'
import type { ServerMessage } from '#shared/contracts/stream.ts'
import { CLIENTS, type Order, type Report, watchedBy } from './plan.ts'

/** What a console listens to. */
const TOPICS = ['alarms', 'incidents', 'work-orders', 'retros', 'assets', 'edges', 'inbox:me']
const AT_ONCE = 100
/** Clients that share one source address, which has some 28,000 ports. */
const PER_ADDRESS = 5000

const report = (message: Report) => void process.send?.(message)

/** Ages in ms, counted by the ms up to a minute. */
function ages() {
  const counts = new Uint32Array(60_000)
  let total = 0
  return {
    add(ms: number) {
      counts[Math.max(0, Math.min(counts.length - 1, Math.floor(ms)))]! += 1
      total += 1
    },
    total: () => total,
    clear() {
      counts.fill(0)
      total = 0
    },
    at(share: number): number {
      let seen = 0
      for (const [ms, count] of counts.entries()) {
        seen += count
        if (seen >= total * share && seen > 0) return ms
      }
      return Number.NaN
    },
  }
}

const [values, alarms] = [ages(), ages()]
let [messages, lost, cpuAt] = [0, 0, process.cpuUsage()]

function take(data: WebSocket.RawData): void {
  const message = JSON.parse(String(data)) as ServerMessage
  messages += 1
  const now = Date.now()
  if (message.type === 'values') {
    for (const { sourceAt } of message.items) if (sourceAt) values.add(now - Date.parse(sourceAt))
  } else if (message.type === 'event' && message.event === 'alarm.changed') {
    alarms.add(now - Number(message.data.eventAt))
  }
}

function open(url: string, cookie: string, index: number): Promise<boolean> {
  const localAddress = `127.0.0.${20 + Math.floor(index / PER_ADDRESS)}`
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/stream`, {
    ...{ headers: { cookie }, perMessageDeflate: false, localAddress, handshakeTimeout: 60_000 },
  })
  socket.on('message', take)
  return new Promise((resolve) => {
    socket.on('error', () => resolve(false))
    socket.on('close', () => {
      lost += 1
    })
    socket.on('open', () => {
      socket.send(JSON.stringify({ type: 'subscribe', topics: TOPICS }))
      socket.send(JSON.stringify({ type: 'values', paths: watchedBy(index) }))
      resolve(true)
    })
  })
}

async function openAll({ url, cookie }: Extract<Order, { kind: 'open' }>): Promise<void> {
  let [next, failed] = [0, 0]
  const worker = async () => {
    while (next < CLIENTS) if (!(await open(url, cookie, next++))) failed += 1
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  report({ kind: 'opened', failed })
}

process.on('message', (order: Order) => {
  if (order.kind === 'open') void openAll(order)
  else if (order.kind === 'begin') {
    for (const one of [values, alarms]) one.clear()
    ;[messages, lost, cpuAt] = [0, 0, process.cpuUsage()]
  } else {
    const { user, system } = process.cpuUsage(cpuAt)
    report({
      ...{ kind: 'seen', values: values.total(), messages, lost, cpuMicros: user + system },
      ...{ valueP50Ms: values.at(0.5), valueP99Ms: values.at(0.99) },
      ...{ alarms: alarms.total(), alarmP50Ms: alarms.at(0.5), alarmP99Ms: alarms.at(0.99) },
    })
  }
})
