import { EDGE_URI_PREFIX } from '#shared/contracts/edge-uri.ts'
import { isTopicId } from '#shared/sparkplug/topics.ts'
import type { EdgeRef } from '../contract.ts'

/**
 * The one edge that a certificate is for; undefined when it names none, or several. `names` is Node's `subjectAltName`, which
 * puts a name with a comma or a quote into quotes: such a name is no edge's.
 */
export function edgeOfNames(names: string | undefined): EdgeRef | undefined {
  const uris = (names ?? '').split(', ').filter((name) => name.startsWith(`URI:${EDGE_URI_PREFIX}`))
  const [uri, ...others] = uris.map((name) => name.slice('URI:'.length + EDGE_URI_PREFIX.length))
  if (uri === undefined || others.length > 0) return undefined
  const [group, edge, ...rest] = uri.split('/').map(decoded)
  return rest.length === 0 && isTopicId(group) && isTopicId(edge) ? { group, edge } : undefined
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
