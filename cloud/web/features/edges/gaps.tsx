import { useInfiniteQuery } from '@tanstack/react-query'
import Button from 'antd/es/button'
import type { Edge } from '#shared/contracts/edge.ts'
import type { EdgeGap } from '#shared/contracts/edge-gap.ts'
import { gapsQuery } from '../../api/queries.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { formatCount } from '../../ui/format.ts'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { useCauseWord } from '../../ui/words.ts'

/** What is missing from history, newest first, with its cause. */
export function Gaps({ edge }: { readonly edge: Edge }) {
  const { t, language } = useTexts()
  const gaps = useInfiniteQuery(gapsQuery(edge.id))
  return (
    <section className="panel" aria-label={t('edges.tab.gaps')}>
      <Loaded query={gaps} height={160}>
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items)
          if (items.length === 0) return <EmptyState kind="all-clear" title={t('edges.gap.none')} />
          return (
            <>
              <GapTable gaps={items} />
              <div className="edge-note row wrap">
                <span className="meta">
                  {t('edges.gap.shown', {
                    shown: formatCount(items.length, language),
                    count: Math.max(edge.gapCount, items.length),
                  })}{' '}
                  {t('edges.gap.zone', { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}
                </span>
                {gaps.hasNextPage ? (
                  <Button loading={gaps.isFetchingNextPage} onClick={() => void gaps.fetchNextPage()}>
                    {t('edges.gap.older')}
                  </Button>
                ) : null}
              </div>
            </>
          )
        }}
      </Loaded>
    </section>
  )
}

function GapTable({ gaps }: { readonly gaps: readonly EdgeGap[] }) {
  const { t, time, language } = useTexts()
  const causeWord = useCauseWord()
  return (
    <div className="tag-scroll">
      <table className="tag-table lane-table">
        <thead>
          <tr>
            <th scope="col">{t('edges.gap.when')}</th>
            <th scope="col">{t('edges.gap.cause')}</th>
            <th scope="col">{t('edges.gap.count')}</th>
            <th scope="col">{t('edges.gap.device')}</th>
          </tr>
        </thead>
        <tbody>
          {gaps.map((gap) => (
            <tr key={gap.id}>
              <th scope="row" className="num">
                {time(gap.from)} – {time(gap.to)}
              </th>
              <td data-name={t('edges.gap.cause')}>{causeWord(gap.cause)}</td>
              <td className="num" data-name={t('edges.gap.count')}>
                {formatCount(Number(gap.count), language)}
              </td>
              <td data-name={t('edges.gap.device')}>{gap.device ?? t('edges.gap.whole')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
