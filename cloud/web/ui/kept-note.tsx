import { useQuery } from '@tanstack/react-query'
import { retentionQuery } from '../api/queries.ts'
import { formatAge, formatMoment } from './format.ts'
import { removedUntil, shortestKept } from './kept.ts'
import { useTexts } from './language.ts'

/** How long the values of some tags are kept, and what of the shown range retention has removed. Says nothing where all is kept. */
export function KeptNote({ paths, from }: { readonly paths: readonly string[]; readonly from: number }) {
  const { t, language } = useTexts()
  const kept = useQuery(retentionQuery(paths)).data?.items ?? []
  const removed = removedUntil(kept)
  const words = (ms: number | null) => (ms === null ? t('kept.forEver') : formatAge(ms, language))
  const { values, minutes, hours } = shortestKept(kept)
  if (values === null && minutes === null && hours === null && removed === null) return null
  return (
    <p className="meta" role="note">
      {t('kept.times', { values: words(values), minutes: words(minutes), hours: words(hours) })}
      {removed !== null && removed >= from ? ` ${t('kept.removed', { time: formatMoment(removed, language) })}` : ''}
    </p>
  )
}
