/** A thread with an edge of its own: raises an alarm when told, and watches the alarm log until it is there. */
import { parentPort, workerData } from 'node:worker_threads'
import { type DatabaseAddress, openDatabase } from '#cloud/platform/database/pools.ts'
import { silentLog } from '#shared/log/log.ts'
import { TEST_SECRET } from './postgres.ts'
import { connectScriptedEdge } from './sparkplug-edge.ts'

export interface AlarmWriterData {
  readonly port: number
  readonly group: string
  readonly address: DatabaseAddress
  /** At 0: 1 when the alarm is to be raised. At 1: 1 when it is logged, with its samples acknowledged. */
  readonly shared: SharedArrayBuffer
}

const MOTOR = { tag: 'motor-temperature', alias: 10, type: 'double' } as const
const SAMPLES_A_SECOND = 50

const { port, group, address, shared } = workerData as AlarmWriterData
const flags = new Int32Array(shared)
const db = openDatabase({ address, secret: TEST_SECRET, log: silentLog, size: 2 })
const edge = await connectScriptedEdge({ port, group, edge: 'line-1', secret: 'right', epoch: 5n })
await edge.birth(1n, 0n)
await edge.deviceBirth('compressor-1', [MOTOR], { profile: 'screw-compressor' })

let offset = 0n
const reads = (value: number) => {
  offset += 1n
  return edge.data('compressor-1', [{ ...MOTOR, at: Date.now(), value }], offset)
}
const isLogged = async () =>
  (
    await db.system
      .selectFrom('alarm_log' as never)
      .select('id' as never)
      .execute()
  ).length > 0

await reads(85)
parentPort?.postMessage('ready')
Atomics.wait(flags, 0, 0)
while (!(await isLogged()) || edge.acks.at(-1)?.offset !== offset) {
  if (offset < 2n * BigInt(SAMPLES_A_SECOND)) await reads(40)
  await new Promise((resolve) => setTimeout(resolve, 1000 / SAMPLES_A_SECOND))
}
Atomics.store(flags, 1, 1)
Atomics.notify(flags, 1)
await edge.close()
await db.close()
