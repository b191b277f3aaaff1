import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import type { Edge } from '#shared/contracts/edge.ts'
import type { Tag } from '#shared/contracts/tag.ts'
import { tagsQuery } from '../../api/queries.ts'
import { useLiveValue } from '../../api/stream.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { LiveTagValue } from '../../ui/tag-value.tsx'

const route = getRouteApi('/inside/edges/$id/{-$tab}')

/** The tags of a box with live values. */
export function Tags({ edge }: { readonly edge: Edge }) {
  const { t } = useTexts()
  const search = route.useSearch()
  const navigate = useNavigate()
  const tags = useQuery(tagsQuery({ edge: edge.edge, ...(search.device ? { device: search.device } : {}) }))
  const wanted = (search.q ?? '').toLowerCase()
  const go = (next: typeof search) =>
    void navigate({ to: '/edges/$id/{-$tab}', params: { id: edge.id, tab: 'tags' }, search: next, replace: true })
  return (
    <section className="panel">
      <header>
        <h2 className="grow">
          {t('edges.tab.tags')} {search.device ? `· ${search.device}` : ''}
        </h2>
        {search.device ? (
          <button type="button" className="choice" onClick={() => go(search.q ? { q: search.q } : {})}>
            {t('edges.allDevices')}
          </button>
        ) : null}
        <input
          type="search"
          className="field"
          aria-label={t('edges.tagSearch')}
          placeholder={t('edges.tagSearch')}
          value={search.q ?? ''}
          onChange={(event) => go({ ...search, q: event.target.value })}
        />
      </header>
      <Loaded query={tags} height={240}>
        {(data) => <TagTable tags={data.items.filter((tag) => tag.path.toLowerCase().includes(wanted))} />}
      </Loaded>
    </section>
  )
}

function TagTable({ tags }: { readonly tags: readonly Tag[] }) {
  const { t, read } = useTexts()
  if (tags.length === 0) return <EmptyState kind="filtered" title={t('edges.tagsEmpty')} />
  return (
    <div className="tag-scroll">
      <table className="tag-table">
        <thead>
          <tr>
            <th scope="col">{t('edges.device')}</th>
            <th scope="col">{t('edges.tag')}</th>
            <th scope="col">{t('edges.value')}</th>
            <th scope="col">{t('edges.at')}</th>
          </tr>
        </thead>
        <tbody>
          {tags.map((tag) => (
            <tr key={tag.id}>
              <td>{tag.device}</td>
              <td>
                <Link to="/trends" search={{ tags: tag.path }}>
                  {read(tag.name)}
                </Link>{' '}
                <span className="meta">{tag.tag}</span>
              </td>
              <td>
                <LiveTagValue tag={tag} />
              </td>
              <td className="num meta">
                <SourceTime tag={tag} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function SourceTime({ tag }: { readonly tag: Tag }) {
  const { time } = useTexts()
  const at = (useLiveValue(tag.path) ?? tag).sourceAt
  return at ? time(at) : '–'
}
