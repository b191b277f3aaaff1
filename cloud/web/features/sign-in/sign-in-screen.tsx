import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import Button from 'antd/es/button'
import type { TFunction } from 'i18next'
import { type FormEvent, useState } from 'react'
import { signIn } from '../../api/acts.ts'
import { ApiError } from '../../api/http.ts'
import { chooseLanguage, LANGUAGES, type Language } from '../../locales/i18n.ts'
import { useTexts } from '../../ui/language.ts'
import { problemText } from '../../ui/problem.ts'
import './sign-in.css'

const route = getRouteApi('/sign-in')

/** Only a path of our own is a place to go on to. */
const nextPath = (next: string | undefined): string =>
  next?.startsWith('/') && !next.startsWith('//') && !next.startsWith('/sign-in') ? next : '/'

/** One message for any wrong pair, so that nobody learns which half was right. */
function refusalText(t: TFunction, error: unknown): string {
  const status = error instanceof ApiError ? error.problem.status : 0
  if (status === 401 || status === 400) return t('signIn.wrong')
  return status === 429 ? t('signIn.locked') : problemText(t, error)
}

/** The door: one message for any wrong pair, told in place. */
export function SignInScreen() {
  const { t, language } = useTexts()
  const { next } = route.useSearch()
  const client = useQueryClient()
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const [fault, setFault] = useState<string>()
  const [isSending, setSending] = useState(false)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setSending(true)
    setFault(undefined)
    try {
      await signIn(user.trim(), password)
      client.clear()
      window.location.assign(nextPath(next))
    } catch (error) {
      setSending(false)
      setFault(refusalText(t, error))
    }
  }
  return (
    <main className="sign-in">
      <form className="sign-in-form" onSubmit={(event) => void submit(event)}>
        <header className="stack">
          <img src="/icon.svg" alt="" width="48" height="48" />
          <h1>Andon</h1>
          <p className="meta">{t('signIn.hint')}</p>
        </header>
        <label className="stack" htmlFor="user">
          {t('signIn.user')}
          <input
            id="user"
            className="field"
            autoComplete="username"
            autoCapitalize="none"
            // biome-ignore lint/a11y/noAutofocus: nothing else is done on this screen.
            autoFocus
            required
            value={user}
            onChange={(event) => setUser(event.target.value)}
          />
        </label>
        <label className="stack" htmlFor="password">
          {t('signIn.password')}
          <input
            id="password"
            className="field"
            type="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </label>
        <Button type="primary" htmlType="submit" size="large" aria-busy={isSending}>
          {isSending ? t('action.sending') : t('signIn.submit')}
        </Button>
        <p className="sign-in-fault" role="alert">
          {fault}
        </p>
        <nav className="row" aria-label={t('app.language')}>
          {(Object.keys(LANGUAGES) as Language[]).map((key) => (
            <Button
              key={key}
              type="text"
              aria-pressed={key === language}
              lang={key}
              onClick={() => void chooseLanguage(key)}
            >
              {LANGUAGES[key]}
            </Button>
          ))}
        </nav>
      </form>
    </main>
  )
}
