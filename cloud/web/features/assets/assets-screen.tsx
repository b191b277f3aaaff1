import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import type { Asset } from '#shared/contracts/asset.ts'
import { assetsQuery } from '../../api/queries.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Icon } from '../../ui/icons.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { PriorityMark } from '../../ui/priority-mark.tsx'
import { AssetPage } from './asset-page.tsx'
import { type Branch, treeOf } from './tree.ts'
import './assets.css'

/** The asset tree at the left, the chosen asset beside it; on a phone one after the other. */
export function AssetsScreen() {
  const { t } = useTexts()
  const { id } = useParams({ strict: false })
  const assets = useQuery(assetsQuery)
  return (
    <div className={id ? 'assets assets-chosen' : 'assets'}>
      <Loaded query={assets} height={400}>
        {(data) => {
          const chosen = data.items.find((asset) => asset.id === id || asset.code === id)
          return (
            <>
              <TreePane assets={data.items} chosen={chosen} />
              {chosen ? (
                <AssetPage key={chosen.id} asset={chosen} all={data.items} />
              ) : (
                <section className="screen assets-none">
                  <EmptyState
                    kind="nothing-yet"
                    title={data.items.length === 0 ? t('assets.empty') : t('assets.choose')}
                    next={data.items.length === 0 ? t('assets.emptyNext') : undefined}
                  />
                </section>
              )}
            </>
          )
        }}
      </Loaded>
    </div>
  )
}

function TreePane({ assets, chosen }: { readonly assets: readonly Asset[]; readonly chosen: Asset | undefined }) {
  const { t, read } = useTexts()
  const [filter, setFilter] = useState('')
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const wanted = filter.trim().toLowerCase()
  const fits = (asset: Asset) => `${asset.code} ${read(asset.name)}`.toLowerCase().includes(wanted)
  const toggle = (id: string) => {
    const next = new Set(closed)
    if (!next.delete(id)) next.add(id)
    setClosed(next)
  }
  return (
    <nav className="asset-tree" aria-label={t('assets.tree')}>
      <h1>{t('assets.title')}</h1>
      <input
        type="search"
        className="field"
        aria-label={t('assets.filter')}
        placeholder={t('assets.filter')}
        value={filter}
        onChange={(event) => setFilter(event.target.value)}
      />
      {wanted ? (
        <ul>
          {assets.filter(fits).map((asset) => (
            <li key={asset.id}>
              <AssetLink asset={asset} isChosen={asset.id === chosen?.id} />
            </li>
          ))}
        </ul>
      ) : (
        <Branches branches={treeOf(assets)} closed={closed} chosen={chosen} onToggle={toggle} />
      )}
    </nav>
  )
}

interface BranchesProps {
  readonly branches: readonly Branch[]
  readonly closed: ReadonlySet<string>
  readonly chosen: Asset | undefined
  readonly onToggle: (id: string) => void
}

function Branches(props: BranchesProps) {
  return (
    <ul className="branches">
      {props.branches.map(({ asset, below }) => {
        const isClosed = props.closed.has(asset.id)
        const isOpen = below.length > 0 && !isClosed
        return (
          <li key={asset.id}>
            <span className="row branch">
              {below.length > 0 ? (
                <Twist asset={asset} isClosed={isClosed} onToggle={props.onToggle} />
              ) : (
                <span className="twist" />
              )}
              <AssetLink asset={asset} isChosen={asset.id === props.chosen?.id} />
            </span>
            {isOpen ? <Branches {...props} branches={below} /> : null}
          </li>
        )
      })}
    </ul>
  )
}

function Twist(props: { readonly asset: Asset; readonly isClosed: boolean; readonly onToggle: (id: string) => void }) {
  const { t, read } = useTexts()
  const name = read(props.asset.name)
  return (
    <button
      type="button"
      className={props.isClosed ? 'twist' : 'twist twist-open'}
      aria-expanded={!props.isClosed}
      aria-label={props.isClosed ? t('assets.expand', { name }) : t('assets.collapse', { name })}
      onClick={() => props.onToggle(props.asset.id)}
    >
      <Icon name="chevron" size={12} />
    </button>
  )
}

function AssetLink({ asset, isChosen }: { readonly asset: Asset; readonly isChosen: boolean }) {
  const { read } = useTexts()
  return (
    <Link
      to="/assets/$id"
      params={{ id: asset.id }}
      className={isChosen ? 'asset-link active' : 'asset-link'}
      aria-current={isChosen ? 'page' : undefined}
    >
      <span className="clip grow">
        {asset.code} <span className="meta">{read(asset.name)}</span>
      </span>
      {asset.worstPriority ? <PriorityMark priority={asset.worstPriority} /> : null}
    </Link>
  )
}
