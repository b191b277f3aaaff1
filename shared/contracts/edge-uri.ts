/** The SAN URI of an edge's certificate: `urn:andon:edge:<group>/<edge>`, both percent-encoded, because a URI holds only ASCII. */
export const edgeUri = ({ group, edge }: { readonly group: string; readonly edge: string }): string =>
  `${EDGE_URI_PREFIX}${encodeURIComponent(group)}/${encodeURIComponent(edge)}`

export const EDGE_URI_PREFIX = 'urn:andon:edge:'
