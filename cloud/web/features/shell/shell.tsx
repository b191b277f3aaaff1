import { Outlet, useLocation } from '@tanstack/react-router'
import { useState } from 'react'
import { ConnectionBanner } from '../../ui/connection-banner.tsx'
import { useTexts } from '../../ui/language.ts'
import { BottomBar, Rail } from './rail.tsx'
import { TopBar } from './top-bar.tsx'
import './shell.css'

const KEY = 'andon.rail'

/** What stands round every screen: top bar with alarm strip, rail or bottom bar, and the state of the link. */
export function Shell() {
  const { t } = useTexts()
  const [isNarrow, setNarrow] = useState(() => localStorage.getItem(KEY) === 'narrow')
  const { pathname } = useLocation()
  const toggle = () => {
    localStorage.setItem(KEY, isNarrow ? 'wide' : 'narrow')
    setNarrow(!isNarrow)
  }
  return (
    <div className={isNarrow ? 'shell shell-narrow' : 'shell'}>
      <a className="skip" href="#main">
        {t('app.skip')}
      </a>
      <TopBar />
      <Rail isNarrow={isNarrow} onToggle={toggle} />
      <main id="main" className="shell-main" tabIndex={-1} key={pathname.split('/')[1]}>
        <ConnectionBanner />
        <Outlet />
      </main>
      <BottomBar />
    </div>
  )
}
