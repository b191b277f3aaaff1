import { isTopicId } from '#shared/sparkplug/topics.ts'
import type { EdgeRef } from '../contract.ts'

const PREFIX = 'urn:andon:edge:'

/** The name of an edge in its certificate: `urn:andon:edge:<group>/<edge>`, both percent-encoded, because a URI holds only ASCII. */
export const edgeUri = ({ group, edge }: EdgeRef): string =>
  `${PREFIX}${encodeURIComponent(group)}/${encodeURIComponent(edge)}`

/**
 * The one edge that a certificate is for; undefined when it names none, or several. `names` is Node's `subjectAltName`, which
 * puts a name with a comma or a quote into quotes: such a name is no edge's.
 */
export function edgeOfNames(names: string | undefined): EdgeRef | undefined {
  const uris = (names ?? '').split(', ').filter((name) => name.startsWith(`URI:${PREFIX}`))
  const [uri, ...others] = uris.map((name) => name.slice('URI:'.length + PREFIX.length))
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
