import { useQuery } from '@tanstack/react-query'
import type { Edge } from '#shared/contracts/edge.ts'
import { pushesQuery, sessionQuery, versionsQuery } from '../../api/queries.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { ConfigurationEditor } from './configuration-editor.tsx'
import { ConfigurationHistory } from './configuration-history.tsx'
import { ConfigurationState } from './configuration-state.tsx'
import { mayManage } from './fleet.ts'

/** What a box is told to be: how that stands to what it runs, the file to edit, and what was pushed before. */
export function Configuration({ edge }: { readonly edge: Edge }) {
  const { t } = useTexts()
  const versions = useQuery(versionsQuery(edge.id))
  const pushes = useQuery(pushesQuery(edge.id))
  const canManage = mayManage(useQuery(sessionQuery).data?.person.roles ?? [])
  return (
    <Loaded query={versions} height={240}>
      {({ items }) => (
        <>
          <ConfigurationState edge={edge} versions={items} canManage={canManage} />
          {canManage ? (
            <ConfigurationEditor edge={edge} versions={items} />
          ) : (
            <section className="panel">
              <EmptyState kind="nothing-yet" title={t('edges.configuration.notAllowed')} />
            </section>
          )}
          <ConfigurationHistory edge={edge} versions={items} pushes={pushes.data?.items ?? []} canManage={canManage} />
        </>
      )}
    </Loaded>
  )
}
