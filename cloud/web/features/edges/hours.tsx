import { Choices } from '../../ui/choices.tsx'
import { useTexts } from '../../ui/language.ts'

const HOURS = [1, 8, 24, 168] as const

/** How long a one-time code is good. */
export function Hours({ chosen, onChoose }: { readonly chosen: number; readonly onChoose: (hours: number) => void }) {
  const { t } = useTexts()
  const options = HOURS.map((key) => ({
    key: key as number,
    text: key > 24 ? t('edges.new.daysOf', { count: key / 24 }) : t('edges.new.hoursOf', { count: key }),
  }))
  return (
    <div className="stack">
      <span className="meta">{t('edges.new.hours')}</span>
      <Choices label={t('edges.new.hours')} options={options} chosen={chosen} onChoose={onChoose} />
    </div>
  )
}
