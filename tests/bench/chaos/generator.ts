/** The load in a process of its own, which keeps the ledger: what each edge has accepted. */
import { ChaosEdge } from './edge.ts'
import type { Accepted, ChaosLoad } from './plan.ts'

/** What the benchmark tells its generator. */
export type Order =
  | { readonly type: 'open'; readonly load: ChaosLoad; readonly port: number; readonly secret: string }
  /** Brings every alarm tag to rest, accepts a last few rounds and tells when all is acknowledged. */
  | { readonly type: 'drain' }

/** What the generator tells, rounds by edge. */
export type Report =
  | {
      readonly type: 'progress'
      readonly accepted: readonly number[]
      readonly acknowledged: readonly number[]
      readonly isBorn: boolean
      readonly reconnects: number
      readonly resent: number
    }
  | { readonly type: 'drained'; readonly ledger: readonly Accepted[] }

const TICK_MS = 20
const REPORT_MS = 100
/** Enough for the longest excursion to end. */
const QUIET_ROUNDS = 14
/** Rounds that may wait for their acknowledgement. */
const WINDOW = 240

let edges: ChaosEdge[] = []
let isDraining = false
let isDone = false

const tell = (report: Report): void => void process.send?.(report)

function open({ load, port, secret }: Extract<Order, { type: 'open' }>): void {
  const options = { load, port, secret, window: WINDOW }
  edges = Array.from({ length: load.edges }, (_, edge) => new ChaosEdge({ ...options, edge }))
  for (const edge of edges) edge.connect()
}

function tick(): void {
  const now = Date.now()
  for (const edge of edges) edge.tick(now, edge.accepted < edge.quietFrom + QUIET_ROUNDS)
}

function report(): void {
  const sum = (read: (edge: ChaosEdge) => number) => edges.reduce((all, edge) => all + read(edge), 0)
  tell({
    type: 'progress',
    accepted: edges.map((edge) => edge.accepted),
    acknowledged: edges.map((edge) => edge.acknowledged),
    isBorn: edges.length > 0 && edges.every((edge) => edge.isBorn),
    reconnects: sum((edge) => edge.reconnects),
    resent: sum((edge) => edge.resent),
  })
  const isAllThere = edges.every(
    (edge) => edge.accepted === edge.quietFrom + QUIET_ROUNDS && edge.acknowledged >= edge.accepted,
  )
  if (!isDraining || isDone || !isAllThere) return
  isDone = true
  tell({ type: 'drained', ledger: edges.map(({ accepted, quietFrom }) => ({ rounds: accepted, quietFrom })) })
}

process.on('message', (order: Order) => {
  if (order.type === 'open') open(order)
  else {
    isDraining = true
    for (const edge of edges) edge.quietFrom = edge.accepted
  }
})
process.on('disconnect', () => process.exit(0))
setInterval(tick, TICK_MS)
setInterval(report, REPORT_MS)
