import { formatTopic } from '#shared/sparkplug/topics.ts'
import type { HostState } from './broker.ts'

/** The topic of a host's birth and death (tck-id-host-topic-phid-birth-topic). @throws RangeError for an id that may not stand in a topic. */
export const stateTopic = (hostId: string): string => formatTopic({ message: 'STATE', host: hostId })

/** A birth or death of a host as JSON (tck-id-host-topic-phid-birth-payload, -death-payload). */
export const statePayload = ({ online, timestamp }: HostState): Buffer =>
  Buffer.from(JSON.stringify({ online, timestamp }))
