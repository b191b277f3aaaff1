import { LoadEdge } from './edge.ts'
import type { Load } from './plan.ts'

/** What the benchmark tells its generator, a process of its own. */
export type Order =
  | {
      readonly type: 'open'
      readonly load: Load
      readonly port: number
      readonly secret: string
      readonly window: number
    }
  | { readonly type: 'rate'; readonly valuesPerSecond: number }
  | { readonly type: 'drain' }

/** What the generator tells. CPU time in µs since its start; `samples` by edge: what it has sent. */
export type Report =
  | { readonly type: 'born' }
  | {
      readonly type: 'progress'
      readonly sent: number
      readonly acknowledged: number
      readonly cpuMicros: number
      readonly reconnects: number
      readonly resent: number
    }
  | { readonly type: 'drained'; readonly samples: Readonly<Record<string, number>> }

const TICK_MS = 5
/** Lost time is caught up with at most this much at once. */
const MOST_BEHIND_MS = 1000

let edges: LoadEdge[] = []
let perRound = 0
let rate = 0
let owed = 0
let nextEdge = 0
let lastTick = performance.now()
let isDraining = false

const tell = (report: Report): void => void process.send?.(report)

function open({ load, port, secret, window }: Extract<Order, { type: 'open' }>): void {
  perRound = load.devices * 100
  edges = Array.from({ length: load.edges }, (_, edge) => new LoadEdge({ load, edge, port, secret, window }))
  for (const edge of edges) edge.connect()
  const timer = setInterval(() => {
    if (!edges.every((edge) => edge.isBorn)) return
    clearInterval(timer)
    tell({ type: 'born' })
  }, 50)
}

/** Hands rounds to the edges in turn, what must be sent again first; an edge whose window is full is passed over. */
function tick(): void {
  const now = performance.now()
  owed = Math.min(owed + ((now - lastTick) * rate) / 1000, (MOST_BEHIND_MS * rate) / 1000 + perRound)
  lastTick = now
  const at = Date.now()
  for (const edge of edges) {
    edge.watch(now)
    if (edge.isBehind) edge.round(at)
  }
  if (isDraining) return
  for (let passed = 0; owed >= perRound && passed < edges.length; passed++) {
    const edge = edges[nextEdge]
    nextEdge = (nextEdge + 1) % edges.length
    const fresh = edge && !edge.isBehind ? edge.round(at) : 0
    owed -= fresh
    if (fresh > 0) passed = -1
  }
}

function report(): void {
  const { user, system } = process.cpuUsage()
  const sum = (read: (edge: LoadEdge) => number) => edges.reduce((all, edge) => all + read(edge), 0)
  tell({
    type: 'progress',
    sent: sum((edge) => edge.sent),
    acknowledged: sum((edge) => edge.acknowledged),
    cpuMicros: user + system,
    reconnects: sum((edge) => edge.reconnects),
    resent: sum((edge) => edge.resent),
  })
  if (!isDraining || !edges.every((edge) => edge.acknowledged >= edge.sent)) return
  tell({ type: 'drained', samples: Object.fromEntries(edges.map((edge) => [edge.name, edge.sent])) })
  isDraining = false
  rate = 0
  owed = 0
}

process.on('message', (order: Order) => {
  if (order.type === 'open') open(order)
  if (order.type === 'rate') {
    rate = order.valuesPerSecond
    lastTick = performance.now()
  }
  if (order.type === 'drain') {
    isDraining = true
    rate = 0
  }
})
process.on('disconnect', () => process.exit(0))
setInterval(tick, TICK_MS)
setInterval(report, 500)
