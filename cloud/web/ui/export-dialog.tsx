import { useQuery, useQueryClient } from '@tanstack/react-query'
import Button from 'antd/es/button'
import { useId, useState } from 'react'
import type { HistoryExport } from '#shared/contracts/history.ts'
import { cancelExport, createExport, exportFile } from '../api/acts.ts'
import { exportsQuery } from '../api/queries.ts'
import { ActionButton } from './action-button.tsx'
import { Choices } from './choices.tsx'
import { Dialog } from './dialog.tsx'
import { localText, rangeOf, shareOf } from './export-range.ts'
import { formatBytes, formatCount } from './format.ts'
import { KeptNote } from './kept-note.tsx'
import { useTexts } from './language.ts'
import { reasonText } from './problem.ts'
import type { TrendTag } from './trend-chart.tsx'
import './export-dialog.css'

export interface ExportDialogProps {
  readonly tags: readonly TrendTag[]
  readonly range: { readonly from: number; readonly to: number }
  readonly onClose: () => void
}

/** Range and format of an export, and how far one's exports are: they go on when this is closed. */
export function ExportDialog({ tags, range, onClose }: ExportDialogProps) {
  const { t } = useTexts()
  return (
    <Dialog title={t('exports.title')} onClose={onClose}>
      <ExportForm tags={tags} range={range} />
      <MyExports />
    </Dialog>
  )
}

function ExportForm({ tags, range }: Omit<ExportDialogProps, 'onClose'>) {
  const { t, read } = useTexts()
  const client = useQueryClient()
  const [from, setFrom] = useState(() => localText(range.from))
  const [to, setTo] = useState(() => localText(range.to))
  const [format, setFormat] = useState<HistoryExport['format']>('csv')
  const wanted = rangeOf(from, to)
  const start = async (send: { readonly key: string }) => {
    if (!wanted) return
    const made = await createExport({ tags: tags.map((tag) => tag.path), format, ...wanted }, send)
    download(exportFile(made.id), made.fileName)
    await client.invalidateQueries({ queryKey: ['exports'] })
  }
  return (
    <section className="stack export-form">
      <p className="meta">
        {t('exports.tags', { count: tags.length })}: {tags.map((tag) => read(tag.name)).join(', ')}
      </p>
      <MomentField label={t('exports.from')} value={from} onChange={setFrom} fault={null} />
      <MomentField label={t('exports.to')} value={to} onChange={setTo} fault={wanted ? null : t('exports.order')} />
      <Choices
        label={t('exports.format')}
        chosen={format}
        onChoose={setFormat}
        options={[
          { key: 'csv', text: 'CSV' },
          { key: 'parquet', text: 'Parquet' },
        ]}
      />
      <p className="meta">{t(`exports.hint.${format}`)}</p>
      <KeptNote paths={tags.map((tag) => tag.path)} from={wanted ? Date.parse(wanted.from) : range.from} />
      <ActionButton
        // Another question is another intention: it needs its own key.
        key={JSON.stringify([from, to, format, tags.length])}
        isPrimary
        isBig
        label={t('exports.start')}
        reason={wanted ? null : t('exports.order')}
        run={start}
      />
    </section>
  )
}

/** The browser takes it from here: it writes to disk while the server reads, and nothing of it is held in the page. */
function download(url: string, name: string): void {
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
}

function MomentField(props: {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly fault: string | null
}) {
  const id = useId()
  return (
    <label className="label" htmlFor={id}>
      <span className="meta">{props.label}</span>
      <input
        id={id}
        className="field"
        type="datetime-local"
        step={1}
        aria-invalid={props.fault !== null}
        aria-describedby={`${id}-fault`}
        value={props.value}
        onChange={(event) => props.onChange(event.target.value)}
      />
      <span id={`${id}-fault`} className="field-fault" role="status">
        {props.fault}
      </span>
    </label>
  )
}

function MyExports() {
  const { t } = useTexts()
  const exports = useQuery(exportsQuery).data?.items ?? []
  if (exports.length === 0) return null
  return (
    <section className="stack" aria-label={t('exports.mine')}>
      <h3>{t('exports.mine')}</h3>
      <p className="meta">{t('exports.goesOn')}</p>
      <ul className="stack">
        {exports.map((one) => (
          <li key={one.id} className="export-item">
            <ExportItem one={one} />
          </li>
        ))}
      </ul>
    </section>
  )
}

function ExportItem({ one }: { readonly one: HistoryExport }) {
  const { t } = useTexts()
  const client = useQueryClient()
  const share = shareOf(one)
  const cancel = async () => {
    await cancelExport(one.id)
    await client.invalidateQueries({ queryKey: ['exports'] })
  }
  const isOpen = one.state === 'waiting' || one.state === 'running'
  return (
    <>
      <span className="export-name">{one.fileName}</span>
      {isOpen ? (
        <progress
          className="export-progress"
          aria-label={one.fileName}
          max={1}
          {...(share === null ? {} : { value: share })}
        />
      ) : null}
      <span className="row wrap">
        <span className="grow num" role="status">
          {isOpen ? <OpenText one={one} /> : <EndedText one={one} />}
        </span>
        {isOpen ? (
          <Button onClick={() => void cancel()} aria-label={`${t('exports.cancel')} ${one.fileName}`}>
            {t('exports.cancel')}
          </Button>
        ) : null}
      </span>
      {one.cause ? <p className="export-cause">{reasonText(t, one.cause.code)}</p> : null}
    </>
  )
}

function OpenText({ one }: { readonly one: HistoryExport }) {
  const { t, language } = useTexts()
  const share = shareOf(one)
  if (share === null || one.estimatedRows === null) return t(`exports.state.${one.state}`)
  // A Parquet file is handed over when all values are read.
  const isMaking = one.format === 'parquet' && share === 1
  const rows = formatCount(one.rows, language)
  const counted = t('exports.progress', { rows, all: formatCount(one.estimatedRows, language) })
  const state = isMaking ? t('exports.making') : t(`exports.state.${one.state}`)
  return `${state} ${Math.floor(share * 100)} % · ${counted} · ${formatBytes(one.bytes)}`
}

function EndedText({ one }: { readonly one: HistoryExport }) {
  const { t, language } = useTexts()
  const rows = t('exports.rows', { rows: formatCount(one.rows, language) })
  return `${t(`exports.state.${one.state}`)} · ${rows} · ${formatBytes(one.bytes)}`
}
