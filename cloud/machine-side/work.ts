/** What the thread of broker, host, historian and detection does; see start-thread.ts. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { createLog, type LogOptions } from '#shared/log/log.ts'
import type { CloudConfig } from '../config.ts'
import { portChannel } from '../pipeline/remote/channel.ts'
import { createMeter } from '../pipeline/remote/meter.ts'
import { type PackedError, packError } from '../pipeline/remote/packed-error.ts'
import { servePipeline } from '../pipeline/remote/serve.ts'
import type { DatabaseAddress } from '../platform/database/pools.ts'
import { openMachineSide } from './open.ts'

/** What the thread is started with. */
export interface ThreadData {
  readonly config: CloudConfig
  readonly address: DatabaseAddress
  readonly secret: string
  readonly level: LogOptions['level']
  readonly port: MessagePort
}

/** What the thread says outside the channel: why it could not start. */
export type ThreadRefusal = PackedError

const { config, address, secret, level = 'info', port } = workerData as ThreadData
const log = createLog({ program: 'cloud', level })
const meter = createMeter()
/** Ends the thread, and the process with it: what is in memory may be behind what its successor has written. */
const onLost = () => {
  setImmediate(() => {
    throw new Error('Another process has taken the machine side over')
  })
}
try {
  const pipeline = await openMachineSide({ config, address, secret, log, meter, onLost })
  servePipeline(pipeline, portChannel(port), { meter, close: () => pipeline.close() })
} catch (error) {
  parentPort?.postMessage(packError(error) satisfies ThreadRefusal)
  port.close()
}
