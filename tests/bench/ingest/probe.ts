import type { AlarmEvent } from '#shared/contracts/alarm-event.ts'
import { signIn } from '#tests/support/client.ts'
import { connectScriptedEdge } from '#tests/support/sparkplug-edge.ts'
import { PASSWORD, PROBE, SECRET } from './cloud.ts'

const ALIAS = 50
/** Time between two changes, unless told. */
const EVERY_MS = 100

/** Switches one alarm on and off and notes the time from the MQTT publish to the event on a WebSocket, ms, in `latencies`. */
export async function startProbe(options: {
  readonly port: number
  readonly url: string
  readonly latencies: number[]
  readonly everyMs?: number
}): Promise<{ stop(): Promise<void> }> {
  const { group, edge, device, tag, profile } = PROBE
  const epoch = BigInt(Date.now())
  const wire = await connectScriptedEdge({ port: options.port, group, edge, secret: SECRET, epoch })
  await wire.birth(1n, 0n)
  await wire.deviceBirth(device, [{ tag, alias: ALIAS, type: 'boolean' }], { profile })
  const watcher = await signIn(options.url, 'admin', PASSWORD)
  const published = new Map<number, number>()
  watcher.onMessage((message) => {
    if (message.type !== 'event' || message.event !== 'alarm.changed') return
    const event = message.data as unknown as AlarmEvent
    const at = event.tag === tag && event.transition === 'activated' ? published.get(event.eventAt) : undefined
    if (at !== undefined) options.latencies.push(performance.now() - at)
  })
  let offset = 1n
  let isOn = false
  let last = Promise.resolve()
  const timer = setInterval(() => {
    const at = Date.now()
    isOn = !isOn
    if (isOn) published.set(at, performance.now())
    last = wire.data(device, [{ alias: ALIAS, type: 'boolean', at, value: isOn }], offset++)
  }, options.everyMs ?? EVERY_MS)
  return {
    async stop() {
      clearInterval(timer)
      await last
      await wire.close()
      watcher.close()
    },
  }
}
