import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import Button from 'antd/es/button'
import { useId, useMemo, useState } from 'react'
import type { Tag } from '#shared/contracts/tag.ts'
import { historyQuery, tagsQuery } from '../../api/queries.ts'
import { serverNow } from '../../api/server-time.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ExportButton } from '../../ui/export-button.tsx'
import { FilterTabs } from '../../ui/filter-tabs.tsx'
import { Icon } from '../../ui/icons.tsx'
import { KeptNote } from '../../ui/kept-note.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { TrendChart, type TrendRange } from '../../ui/trend-chart.tsx'
import { csvOf } from './csv.ts'
import { readRange, SPANS, type Span, shifted } from './range.ts'
import './trends.css'

const route = getRouteApi('/inside/trends')

const TAGS = 20

/** Curves of chosen tags over a chosen range; all of the choice stands in the address. */
export function TrendsScreen() {
  const { t } = useTexts()
  const tags = useQuery(tagsQuery({}))
  return (
    <div className="screen">
      <header className="screen-head">
        <div className="title">
          <h1>{t('trends.title')}</h1>
        </div>
      </header>
      <Loaded query={tags} height={320}>
        {(data) => <Explorer all={data.items} />}
      </Loaded>
    </div>
  )
}

function Explorer({ all }: { readonly all: readonly Tag[] }) {
  const { t, read } = useTexts()
  const search = route.useSearch()
  const navigate = useNavigate()
  const chosen = useMemo(() => {
    const paths = (search.tags ?? '').split(',').filter((path) => path)
    return paths.flatMap((path) => all.filter((tag) => tag.path === path)).slice(0, TAGS)
  }, [search.tags, all])
  const range = useMemo(() => readRange(search), [search])
  const go = (next: typeof search) => void navigate({ to: '/trends', search: next, replace: true })
  const setTags = (paths: readonly string[]) => go({ ...search, tags: paths.join(',') })
  const paths = chosen.map((tag) => tag.path)
  return (
    <>
      <RangeBar range={range} onChange={(next) => go({ ...(search.tags ? { tags: search.tags } : {}), ...next })}>
        <CsvButton tags={chosen} range={range} />
        <ExportButton tags={chosen} range={() => fixed(range)} />
      </RangeBar>
      <ul className="row wrap">
        {chosen.map((tag) => (
          <li key={tag.path} className="tag-chip">
            <span className="clip">
              {tag.device} {read(tag.name)}
            </span>
            <button
              type="button"
              aria-label={t('trends.remove', { tag: read(tag.name) })}
              onClick={() => setTags(paths.filter((path) => path !== tag.path))}
            >
              <Icon name="close" size={12} />
            </button>
          </li>
        ))}
        <li>
          <AddTag all={all} chosen={paths} onAdd={(path) => setTags([...paths, path])} />
        </li>
      </ul>
      {chosen.length === 0 ? (
        <EmptyState kind="nothing-yet" title={t('trends.empty')} next={t('trends.emptyNext')} />
      ) : (
        <section className="panel">
          <div className="body">
            <TrendChart tags={chosen} range={range} height={420} />
            <KeptNote paths={paths} from={fixed(range).from} />
          </div>
        </section>
      )}
    </>
  )
}

/** The range as it stands now. */
const fixed = (range: TrendRange) => ('lastMs' in range ? { from: serverNow() - range.lastMs, to: serverNow() } : range)

function RangeBar(props: {
  readonly range: TrendRange
  readonly onChange: (search: { last?: string; from?: string; to?: string }) => void
  readonly children: React.ReactNode
}) {
  const { t } = useTexts()
  const { range, onChange } = props
  const isLive = 'lastMs' in range
  const span = isLive ? range.lastMs : range.to - range.from
  const active = (Object.keys(SPANS) as Span[]).find((key) => SPANS[key] === span)
  const move = (direction: -1 | 1) => {
    const next = shifted(range, direction, serverNow())
    onChange({ from: new Date(next.from).toISOString(), to: new Date(next.to).toISOString() })
  }
  return (
    <div className="row wrap">
      <FilterTabs<Span>
        label={t('trends.range')}
        active={active ?? '1h'}
        onChange={(key) => onChange({ last: key })}
        tabs={(Object.keys(SPANS) as Span[]).map((key) => ({ key, label: key }))}
      />
      <span className="row">
        <Button onClick={() => move(-1)}>‹ {t('trends.pan.back')}</Button>
        <Button disabled={isLive} onClick={() => move(1)}>
          {t('trends.pan.forward')} ›
        </Button>
      </span>
      <Button
        aria-pressed={isLive}
        type={isLive ? 'primary' : 'default'}
        onClick={() => onChange({ last: active ?? '1h' })}
      >
        ◉ {t('trends.live')}
      </Button>
      {props.children}
    </div>
  )
}

function AddTag(props: {
  readonly all: readonly Tag[]
  readonly chosen: readonly string[]
  readonly onAdd: (path: string) => void
}) {
  const { t, read } = useTexts()
  const [q, setQ] = useState('')
  const id = useId()
  const wanted = q.trim().toLowerCase()
  const found = props.all.filter((tag) => !props.chosen.includes(tag.path) && tag.type !== 'string')
  const label = (tag: Tag) => `${tag.device} · ${read(tag.name)}`
  const choose = (text: string) => {
    const tag = found.find((one) => label(one) === text)
    if (tag) props.onAdd(tag.path)
    setQ(tag ? '' : text)
  }
  return (
    <span>
      <input
        className="field"
        list={id}
        aria-label={t('trends.add')}
        placeholder={`+ ${t('trends.search')}`}
        value={q}
        onChange={(event) => choose(event.target.value)}
      />
      <datalist id={id}>
        {found
          .filter((tag) => label(tag).toLowerCase().includes(wanted))
          .slice(0, 200)
          .map((tag) => (
            <option key={tag.path} value={label(tag)} />
          ))}
      </datalist>
    </span>
  )
}

/** Buckets of a CSV file a tag: enough to redraw the chart elsewhere. */
const CSV_POINTS = 2000

function CsvButton({ tags, range }: { readonly tags: readonly Tag[]; readonly range: TrendRange }) {
  const { t } = useTexts()
  const [to] = useState(serverNow)
  const window = 'lastMs' in range ? { from: to - range.lastMs, to } : range
  const paths = tags.map((tag) => tag.path)
  const history = useQuery({ ...historyQuery(paths, window.from, window.to, CSV_POINTS), enabled: false })
  const save = async () => {
    const { data } = await history.refetch()
    if (!data) return
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([csvOf(data)], { type: 'text/csv' }))
    link.download = 'trend.csv'
    link.click()
    URL.revokeObjectURL(link.href)
  }
  return (
    <Button disabled={tags.length === 0} onClick={() => void save()}>
      {t('trends.csv')}
    </Button>
  )
}
