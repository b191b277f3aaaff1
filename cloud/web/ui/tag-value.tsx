import { useState } from 'react'
import type { LiveValue, Tag, WireQuality, WireValue } from '#shared/contracts/tag.ts'
import { useServerNow } from '../api/server-time.ts'
import { useLiveValue, useLostSince } from '../api/stream.tsx'
import { formatAge, formatValue, type ValueFormat } from './format.ts'
import { useTexts } from './language.ts'
import './tag-value.css'

export interface TagValueProps {
  readonly value: WireValue
  readonly unit?: string | null
  readonly quality: WireQuality
  readonly sourceAt: string | null
  readonly decimals?: number | null
  readonly words?: Tag['words']
  readonly size?: 'body' | 'large'
}

/** A live value with its unit and quality. Turns stale by itself when the link is lost, and then always says its age. */
export function TagValue(props: TagValueProps) {
  const { t, language } = useTexts()
  const lostSince = useLostSince()
  const quality = lostSince === undefined ? props.quality : 'stale'
  const format: ValueFormat = {
    decimals: props.decimals,
    words: props.words,
    yes: t('value.yes'),
    no: t('value.no'),
    none: '—',
  }
  const text = formatValue(props.value, format, language)
  const size = props.size === 'large' ? ' tag-value-large' : ''
  return (
    <span className={`tag-value q-${quality}${size}`} title={t(`words.quality.${quality}`)}>
      {quality === 'bad' ? <BadChip last={text} /> : <Digits text={text} />}
      {props.unit && quality !== 'bad' ? <span className="tag-unit">{props.unit}</span> : null}
      {quality === 'uncertain' ? <span className="sr">{t('words.quality.uncertain')}</span> : null}
      {quality === 'stale' ? <Age sourceAt={props.sourceAt} /> : null}
    </span>
  )
}

/** A changed value is underlined for a second; the first one is not a change. */
function Digits({ text }: { readonly text: string }) {
  const [first] = useState(text)
  return (
    <span key={text} className={text === first ? 'digits' : 'digits digits-changed'}>
      {text}
    </span>
  )
}

/** A bad value is not shown as if it were one; the last reading is there on request. */
function BadChip({ last }: { readonly last: string }) {
  const { t } = useTexts()
  return (
    <span className="bad-chip" title={last}>
      <span aria-hidden="true">✕ —</span>
      <span className="sr">{t('value.badValue')}</span>
    </span>
  )
}

function Age({ sourceAt }: { readonly sourceAt: string | null }) {
  const { t, language } = useTexts()
  const now = useServerNow()
  const age = sourceAt === null ? t('words.quality.stale') : formatAge(now - Date.parse(sourceAt), language)
  return (
    <span className="tag-age">
      <span aria-hidden="true">◷</span> {age}
    </span>
  )
}

/** The tag's newest value: from the stream once one came, from the list until then. */
export function LiveTagValue({ tag, size }: { readonly tag: Tag; readonly size?: 'body' | 'large' }) {
  const live: LiveValue | Tag = useLiveValue(tag.path) ?? tag
  return (
    <TagValue
      value={live.value}
      quality={live.quality}
      sourceAt={live.sourceAt}
      unit={tag.unit}
      decimals={tag.decimals}
      words={tag.words}
      {...(size ? { size } : {})}
    />
  )
}
