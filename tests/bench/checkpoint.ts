/**
 * CPU of a detection checkpoint, in Node and in PostgreSQL, with 1 % and with 100 % of the points changed since the last:
 * `node tests/bench/checkpoint.ts [--edges N] [--points N] [--commits N]`. Prints one JSON object as the last line.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Kysely } from 'kysely'
import { createDetection } from '#cloud/pipeline/detection/index.ts'
import type { AlarmDefinition } from '#shared/contracts/alarm-definition.ts'
import type { DeviceProfile } from '#shared/contracts/device-profile.ts'
import { silentLog } from '#shared/log/log.ts'
import { memoryHistory } from '#tests/support/late-history.ts'
import { startTestDatabase } from '#tests/support/postgres.ts'
import { machine } from './bench.ts'

const { values: args } = parseArgs({
  options: {
    edges: { type: 'string', default: '100' },
    points: { type: 'string', default: '1000' },
    commits: { type: 'string', default: '10' },
  },
})
const [edges, points, commits] = [Number(args.edges), Number(args.points), Number(args.commits)]
const TICKS_A_SECOND = 100

const name = (en: string) => ({ en, 'zh-CN': en })
const alarm = (tag: string): AlarmDefinition => ({
  alarm: `${tag}-high`,
  name: name(tag),
  tag,
  priority: 'low',
  condition: { kind: 'limit', levels: [{ level: 'H', setpoint: 90, deadband: 2 }] },
})
const tags = Array.from({ length: points }, (_, i) => `tag-${i}`)
const profile: DeviceProfile = {
  ...{ profile: 'bench', version: 1, name: name('Bench'), assetClass: 'bench', protocol: 'modbus' },
  tags: tags.map((tag, i) => ({ tag, name: name(tag), address: `holding:${i}`, type: 'float32' as const })),
  alarms: tags.map(alarm),
}

/** CPU seconds of a server and of the processes that it started, those that ended included. */
function serverCpuSeconds(postmaster: number): number {
  const stats = readdirSync('/proc').flatMap((pid) => (/^\d+$/.test(pid) ? statOf(pid) : []))
  const own = stats.filter(({ pid, parent }) => pid === postmaster || parent === postmaster)
  return own.reduce((sum, { ticks }) => sum + ticks, 0) / TICKS_A_SECOND
}

function statOf(pid: string): { pid: number; parent: number; ticks: number }[] {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    const [user, system, childUser, childSystem] = fields.slice(11, 15).map(Number) as [number, number, number, number]
    return [{ pid: Number(pid), parent: Number(fields[1]), ticks: user + system + childUser + childSystem }]
  } catch {
    return []
  }
}

const postgres = await startTestDatabase()
const org = await postgres.newOrg()
const db = postgres.db.system as unknown as Kysely<unknown>
const start = Date.UTC(2026, 11, 1)
const idle = { clock: () => start, log: silentLog, checkpointMs: 3_600_000, history: memoryHistory() }
const detection = await createDetection({ db, ...idle })
const shards = Array.from({ length: edges }, (_, i) => detection.edge({ org, group: 'bench', edge: `edge-${i}` }))
for (const shard of shards) shard.onBirth('device', profile)
await detection.settled()

let round = 0
let offset = 1n
/** Feeds every edge one payload that changes a part of its points, others each time. */
function feed(fraction: number): void {
  round += 1
  const count = Math.max(1, Math.round(points * fraction))
  for (const shard of shards) {
    const samples = Array.from({ length: count }, (_, i) => {
      const at = (round * count + i) % points
      const value = 20 + ((round * 7 + i) % 50) / 3
      const tag = shard.tag('device', `tag-${at}`)
      return {
        tag,
        sourceAt: start + round * 500 + i / points,
        value,
        quality: 192 as const,
        offset: offset + BigInt(i),
      }
    })
    shard.onSamples({ samples, range: { epoch: 1n, first: offset, last: offset + BigInt(count - 1) } })
  }
  offset += BigInt(count)
}

async function measure(fraction: number) {
  for (let i = 0; i < 3; i++) {
    feed(fraction)
    await detection.settled()
  }
  let [node, server, wall] = [0, 0, 0]
  for (let i = 0; i < commits; i++) {
    feed(fraction)
    const before = { cpu: process.cpuUsage(), server: serverCpuSeconds(postgres.server.pid), at: performance.now() }
    await detection.settled()
    const used = process.cpuUsage(before.cpu)
    node += (used.user + used.system) / 1000
    server += (serverCpuSeconds(postgres.server.pid) - before.server) * 1000
    wall += performance.now() - before.at
  }
  const each = (ms: number) => Math.round((ms / commits) * 10) / 10
  return { nodeMs: each(node), postgresMs: each(server), wallMs: each(wall) }
}

feed(1)
await detection.settled()
const few = await measure(0.01)
const all = await measure(1)
await detection.close()
await postgres.close()
const result = { bench: 'checkpoint', machine: machine(), edges, points, commits, onePercent: few, allPoints: all }
process.stdout.write(`${JSON.stringify(result)}\n`)
