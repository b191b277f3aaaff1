import type { TimelineEntry } from '#shared/contracts/incident.ts'

/** Facts that only repeat what the machine's own line says. */
const REPEATED: readonly string[] = ['incident.alarm-joined', 'incident.alarm-returned']

/** Whether a fact deserves its own line in a timeline. */
export const isTold = (fact: TimelineEntry): boolean => !REPEATED.includes(fact.type)
