/** A process that holds the STATE of host `andon` on the broker at argv[2], prints its timestamp and waits to be killed. */
import { connectBroker } from '#cloud/pipeline/broker/external.ts'
import { silentLog } from '#shared/log/log.ts'

const broker = await connectBroker({
  address: { url: process.argv[2] ?? '' },
  clock: Date.now,
  log: silentLog,
  speaksFor: 'andon',
})
await broker.watchState('andon', ({ online, timestamp }) => {
  if (online) process.stdout.write(`${timestamp}\n`)
})
await broker.holdState('andon')
