import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { ConfigurationFault } from '#shared/contracts/edge-configuration.ts'
import { documentQuery } from '../../api/queries.ts'

/** A text that is being written, from which version, and what was found out about it. */
export interface Draft {
  readonly base: number | null
  readonly text: string
  /** What the box found in this text, by a check or a push that it refused. */
  readonly checked?: { readonly text: string; readonly faults: readonly ConfigurationFault[] }
  readonly saved?: { readonly text: string; readonly version: number }
  /** The line that the editor shows first. */
  readonly showLine?: number
}

/** A draft outlives a look at another tab; it is gone with the page. */
export function useDraft(edgeId: string) {
  const client = useQueryClient()
  const key = ['edge-draft', edgeId]
  const { data } = useQuery<Draft | null>({
    queryKey: key,
    queryFn: () => null,
    enabled: false,
    gcTime: Number.POSITIVE_INFINITY,
  })
  const setDraft = (next: Draft | null) => void client.setQueryData(key, next)
  return {
    draft: data ?? undefined,
    setDraft,
    /** Begins one from a version, with the faults that the box found in it. */
    async start(version: number, faults: readonly ConfigurationFault[] = []) {
      const { document: text } = await client.fetchQuery(documentQuery(edgeId, version))
      const first = faults.find(({ line }) => line !== null)?.line
      const found = faults.length > 0 ? { checked: { text, faults } } : {}
      setDraft({ base: version, text, ...found, ...(first ? { showLine: first } : {}) })
    },
  }
}
