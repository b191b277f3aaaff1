import type { AlarmCommand } from '#shared/contracts/alarm-command.ts'
import { ALARM_COMMAND } from '#shared/sparkplug/metric-names.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'
import type { HostContext } from './host-context.ts'
import { writeCommand } from './writes.ts'

/** Acknowledgements that wait for one edge; of more the oldest are given up. */
const MOST_WAITING = 1000

/** Tells an edge that an alarm of one of its devices was acknowledged: at once, or when it is connected again. */
export function tellAcknowledgement(host: HostContext, shard: EdgeShard, command: AlarmCommand): void {
  shard.acknowledgements.push(command)
  if (shard.acknowledgements.length > MOST_WAITING) shard.acknowledgements.shift()
  sendAcknowledgements(host, shard)
}

/** Sends what waits, when the edge is there to hear it. */
export function sendAcknowledgements(host: HostContext, shard: EdgeShard): void {
  if (!shard.session.isOnline || !shard.bornMetric(undefined, ALARM_COMMAND)) return
  for (const command of shard.acknowledgements.splice(0)) void send(host, shard, command)
}

/** What the device does not take stays acknowledged here: the log says that the device does not know. */
async function send(host: HostContext, shard: EdgeShard, command: AlarmCommand): Promise<void> {
  const about = { ...shard.ref, pointId: command.pointId, commandId: command.id }
  try {
    const metrics = [{ name: ALARM_COMMAND, value: JSON.stringify(command) }]
    const { status, error } = await writeCommand(host, { edge: shard.ref, metrics, commandId: command.id })
    if (status !== 'done') host.log.warn({ ...about, status, error }, 'Device does not know of an acknowledgement')
  } catch (err) {
    host.log.warn({ ...about, err }, 'Device does not know of an acknowledgement')
  }
}
