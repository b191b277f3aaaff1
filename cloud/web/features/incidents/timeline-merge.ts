import type { TimelineEntry } from '#shared/contracts/incident.ts'
import type { Message } from '#shared/contracts/message.ts'
import { isTold } from '../../ui/fact-told.ts'

export type RoomFilter = 'all' | 'people' | 'machine' | 'decisions'

/** A line of the room: a fact or a message, on one axis of time. */
export type RoomLine =
  | { readonly kind: 'fact'; readonly at: string; readonly fact: TimelineEntry }
  | { readonly kind: 'message'; readonly at: string; readonly message: Message }

/**
 * One timeline of facts and chat. Messages come from the channel, where they are newest, so the facts that repeat them are
 * left out; the channel's system lines are left out because the facts say the same with more.
 */
export function roomLines(facts: readonly TimelineEntry[], messages: readonly Message[]): readonly RoomLine[] {
  const told = facts.filter((fact) => isTold(fact) && !fact.type.startsWith('message.'))
  const said = messages.filter((message) => message.kind !== 'system')
  const lines: RoomLine[] = [
    ...told.map((fact) => ({ kind: 'fact' as const, at: fact.at, fact })),
    ...said.map((message) => ({ kind: 'message' as const, at: message.at, message })),
  ]
  return lines.sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}

/** What an act of a person decides about the incident, rather than says about it. */
const DECISIONS = /accept|arriv|declin|contain|restor|review|clos|cancel|merg|hand|approv|assign|verif|call|dispatch/

/** Whether the line belongs to the chosen part of the timeline. */
export function isShown(line: RoomLine, filter: RoomFilter): boolean {
  if (filter === 'all') return true
  if (filter === 'machine') return line.kind === 'fact' && line.fact.source === 'machine'
  if (filter === 'decisions')
    return line.kind === 'fact' && line.fact.source !== 'machine' && DECISIONS.test(line.fact.type)
  return line.kind === 'message' ? line.message.kind === 'text' : line.fact.source === 'person'
}
