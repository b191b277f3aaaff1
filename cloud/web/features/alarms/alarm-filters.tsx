import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { PRIORITIES } from '#shared/contracts/priority.ts'
import { assetsQuery } from '../../api/queries.ts'
import { useTexts } from '../../ui/language.ts'
import type { AlarmSearch } from './alarm-list-screen.tsx'

/** Typing is sent when it rests for so long, in ms. */
const REST_MS = 300

/** Filters of the list; all of them live in the URL. */
export function AlarmFilters(props: { readonly search: AlarmSearch; readonly onChange: (next: AlarmSearch) => void }) {
  const { t, read } = useTexts()
  const { search, onChange } = props
  const assets = useQuery(assetsQuery).data?.items ?? []
  const set = (name: keyof AlarmSearch, value: string) => {
    const { [name]: _old, ...rest } = search
    onChange(value ? { ...rest, [name]: value } : rest)
  }
  return (
    <div className="row wrap filters">
      <select
        className="field"
        aria-label={t('alarms.priority')}
        value={search.priority ?? ''}
        onChange={(event) => set('priority', event.target.value)}
      >
        <option value="">{t('alarms.anyPriority')}</option>
        {PRIORITIES.map((priority, i) => (
          <option key={priority} value={priority}>
            {i + 1} {t(`words.priority.${priority}`)}
          </option>
        ))}
      </select>
      <select
        className="field"
        aria-label={t('alarms.asset')}
        value={search.asset ?? ''}
        onChange={(event) => set('asset', event.target.value)}
      >
        <option value="">{t('alarms.anyAsset')}</option>
        {assets.map((asset) => (
          <option key={asset.id} value={asset.id}>
            {' '.repeat(asset.path.length * 2)}
            {asset.code} {read(asset.name)}
          </option>
        ))}
      </select>
      <SearchField value={search.q ?? ''} label={t('alarms.search')} onChange={(q) => set('q', q)} />
      <button
        type="button"
        className="choice"
        aria-pressed={search.group === 'asset'}
        onClick={() => set('group', search.group === 'asset' ? '' : 'asset')}
      >
        {search.group === 'asset' ? t('alarms.ungroup') : t('alarms.group')}
      </button>
    </div>
  )
}

function SearchField(props: {
  readonly value: string
  readonly label: string
  readonly onChange: (q: string) => void
}) {
  const { value, label, onChange } = props
  const [text, setText] = useState(value)
  useEffect(() => {
    if (text === value) return
    const timer = setTimeout(() => onChange(text), REST_MS)
    return () => clearTimeout(timer)
  }, [text, value, onChange])
  return (
    <input
      type="search"
      className="field grow"
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  )
}
