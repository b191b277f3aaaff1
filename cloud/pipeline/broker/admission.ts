import { isTopicId, parseTopic, type SparkplugTopic } from '#shared/sparkplug/topics.ts'
import type { EdgeRef } from '../contract.ts'

/** What an edge may publish; commands and STATE are the host's. */
const PUBLISHED = new Set(['NBIRTH', 'NDATA', 'NDEATH', 'DBIRTH', 'DDATA', 'DDEATH'])

/** The topic of a message that has an edge: all but STATE. */
export type EdgeTopic = Exclude<SparkplugTopic, { readonly message: 'STATE' }>

/** True for the six messages that edges send; the host's own commands and STATE pass through the same broker. */
export const isFromEdge = (topic: SparkplugTopic): topic is EdgeTopic => PUBLISHED.has(topic.message)

/** A will as CONNECT carries it. */
export interface Will {
  readonly topic: string
  readonly retain?: boolean | undefined
}

/** Reads the user name `<group>/<edge>`; undefined when it is none. */
export function edgeOfUser(username: string | undefined): EdgeRef | undefined {
  const [group, edge, ...rest] = username?.split('/') ?? []
  return rest.length === 0 && isTopicId(group) && isTopicId(edge) ? { group, edge } : undefined
}

/** True for a topic of the six that carry an edge's own births, data and deaths. */
export function mayPublish(edge: EdgeRef, topic: string): boolean {
  const parsed = parseTopic(topic)
  if (!parsed || !isFromEdge(parsed)) return false
  return parsed.group === edge.group && parsed.edge === edge.edge
}

/** True when the client wills nothing, or its own NDEATH, not retained. */
export function mayWill(edge: EdgeRef, will: Will | undefined): boolean {
  if (!will) return true
  const parsed = parseTopic(will.topic)
  return parsed?.message === 'NDEATH' && !will.retain && mayPublish(edge, will.topic)
}

/**
 * True for the edge's own NCMD and DCMD and for STATE. Everything else is refused, `$share` too: the broker would take it
 * and deliver nothing.
 */
export function maySubscribe(edge: EdgeRef, filter: string): boolean {
  const [namespace, group, message, name, device, ...rest] = filter.split('/')
  if (namespace !== 'spBv1.0' || rest.length > 0) return false
  if (group === 'STATE') return name === undefined && isLevelOrWildcard(message)
  if (group !== edge.group || name !== edge.edge) return false
  if (message === 'NCMD') return device === undefined || device === '#'
  return message === 'DCMD' && isLevelOrWildcard(device)
}

const isLevelOrWildcard = (level: string | undefined): boolean => level === '#' || level === '+' || isTopicId(level)
