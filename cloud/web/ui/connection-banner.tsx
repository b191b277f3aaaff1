import { useEffect, useState } from 'react'
import { useLink, useLostSince } from '../api/stream.tsx'
import { useTexts } from './language.ts'
import './connection-banner.css'

/** How long the good news stays, in ms. */
const CAUGHT_UP_MS = 4000

/** Says in ink that the link is lost and from when the data is; after healing, what was caught up. */
export function ConnectionBanner() {
  const { t, time } = useTexts()
  const link = useLink()
  const lostSince = useLostSince()
  const [wasLost, setWasLost] = useState(false)
  useEffect(() => {
    if (lostSince !== undefined) setWasLost(true)
  }, [lostSince])
  useEffect(() => {
    if (!wasLost || link.status !== 'live') return
    const timer = setTimeout(() => setWasLost(false), CAUGHT_UP_MS)
    return () => clearTimeout(timer)
  }, [wasLost, link.status])
  if (lostSince !== undefined) {
    return (
      <output className="banner">
        {link.lastAt === null ? t('link.never') : t('link.lost', { time: time(lostSince) })}
      </output>
    )
  }
  if (!wasLost || link.status !== 'live') return null
  return <output className="banner banner-healed">{t('link.caughtUp', { count: link.caughtUp })}</output>
}
