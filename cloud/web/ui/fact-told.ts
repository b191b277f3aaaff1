import type { TimelineEntry } from '#shared/contracts/incident.ts'

/** Facts that only repeat what another line says: the machine's own, or whom the next call went to. */
const REPEATED: readonly string[] = ['incident.alarm-joined', 'incident.alarm-returned', 'page.escalated']

/** Whether a fact deserves its own line in a timeline. */
export const isTold = (fact: TimelineEntry): boolean => !REPEATED.includes(fact.type)
