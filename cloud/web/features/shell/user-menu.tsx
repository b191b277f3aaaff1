import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import Button from 'antd/es/button'
import { useEffect, useRef, useState } from 'react'
import { signOut } from '../../api/acts.ts'
import { sessionQuery } from '../../api/queries.ts'
import { chooseLanguage, LANGUAGES, type Language } from '../../locales/i18n.ts'
import { chooseTheme, THEME_CHOICES, useThemeChoice } from '../../theme/theme.ts'
import { Choices } from '../../ui/choices.tsx'
import { useTexts } from '../../ui/language.ts'
import '../../ui/person-chip.css'
import { groupsOf } from './places.ts'

/** The person: who, on duty or not, language, theme, sign out; on a phone also the places that the bar has no room for. */
export function UserMenu() {
  const { t } = useTexts()
  const [isOpen, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const person = useQuery(sessionQuery).data?.person
  useEffect(() => {
    if (!isOpen) return
    const away = (event: Event) => {
      if (event instanceof KeyboardEvent ? event.key === 'Escape' : !root.current?.contains(event.target as Node)) {
        setOpen(false)
      }
    }
    document.addEventListener('pointerdown', away)
    document.addEventListener('keydown', away)
    return () => {
      document.removeEventListener('pointerdown', away)
      document.removeEventListener('keydown', away)
    }
  }, [isOpen])
  if (!person) return null
  return (
    <div className="user" ref={root}>
      <button
        type="button"
        className="user-button"
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <span className="person-initial" aria-hidden="true">
          {person.name.slice(0, 1)}
        </span>
        <span className="sr">{t('app.menu', { name: '' })}</span>
        <span className="user-name clip">{person.name}</span>
        <span className="meta user-name">{person.isOnDuty ? t('app.onDuty') : ''}</span>
      </button>
      {isOpen ? <Panel onClose={() => setOpen(false)} /> : null}
    </div>
  )
}

function Panel({ onClose }: { readonly onClose: () => void }) {
  const { t, language } = useTexts()
  const client = useQueryClient()
  const person = useQuery(sessionQuery).data?.person
  const choice = useThemeChoice()
  const leave = async () => {
    await signOut()
    client.clear()
    window.location.assign('/sign-in')
  }
  return (
    <div className="user-panel" role="dialog" aria-label={t('app.menu', { name: person?.name ?? '' })}>
      <div className="stack">
        <b>{person?.name}</b>
        <span className="meta">
          {(person?.roles ?? []).map((role) => t(`words.role.${role}`)).join(' · ')}
          {' · '}
          {person?.isOnDuty ? t('app.onDuty') : t('app.offDuty')}
        </span>
      </div>
      <nav className="user-places" aria-label={t('app.more')}>
        {groupsOf(person?.roles ?? [])
          .flatMap((group) => group.places)
          .map((place) => (
            <Link key={place.key} to={place.to} onClick={onClose} className="rail-link">
              {t(`nav.${place.key}`)}
            </Link>
          ))}
      </nav>
      <h3>{t('app.language')}</h3>
      <Choices
        label={t('app.language')}
        options={(Object.keys(LANGUAGES) as Language[]).map((key) => ({ key, text: LANGUAGES[key] }))}
        chosen={language}
        onChoose={(key) => void chooseLanguage(key)}
      />
      <h3>{t('app.theme.label')}</h3>
      <Choices
        label={t('app.theme.label')}
        options={THEME_CHOICES.map((key) => ({ key, text: t(`app.theme.${key}`) }))}
        chosen={choice}
        onChoose={chooseTheme}
      />
      <Button onClick={() => void leave()}>{t('app.signOut')}</Button>
    </div>
  )
}
