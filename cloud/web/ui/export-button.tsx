import Button from 'antd/es/button'
import { lazy, Suspense, useState } from 'react'
import { useTexts } from './language.ts'
import type { TrendTag } from './trend-chart.tsx'

const ExportDialog = lazy(() => import('./export-dialog.tsx').then((module) => ({ default: module.ExportDialog })))

/** Opens the export of all values of some tags. The range is what the dialog begins with, in ms since 1970. */
export function ExportButton(props: {
  readonly tags: readonly TrendTag[]
  readonly range: () => { readonly from: number; readonly to: number }
}) {
  const { t } = useTexts()
  const [range, setRange] = useState<{ readonly from: number; readonly to: number }>()
  return (
    <>
      <Button disabled={props.tags.length === 0} onClick={() => setRange(props.range())}>
        {t('exports.open')}
      </Button>
      {range ? (
        <Suspense fallback={null}>
          <ExportDialog tags={props.tags} range={range} onClose={() => setRange(undefined)} />
        </Suspense>
      ) : null}
    </>
  )
}
