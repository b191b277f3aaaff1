import Button from 'antd/es/button'
import { ApiError } from '../api/http.ts'
import { useTexts } from './language.ts'
import { codeOf, problemText } from './problem.ts'
import './states.css'

/** A part that could not be read: cause, next step, and what to tell support. The rest of the screen lives on. */
export function ErrorState({ problem, retry }: { readonly problem: unknown; readonly retry?: () => void }) {
  const { t } = useTexts()
  const trace = problem instanceof ApiError ? problem.problem.traceId : undefined
  const isForbidden = problem instanceof ApiError && problem.problem.status === 403
  return (
    <div className="error" role="alert">
      <p className="empty-title">{t('error.title')}</p>
      <p>{isForbidden ? t('error.forbidden') : problemText(t, problem)}</p>
      <p className="meta">{t('error.next')}</p>
      <div className="row wrap">
        {retry ? <Button onClick={retry}>{t('action.retry')}</Button> : null}
        <span className="meta">
          {t('error.code')} <code>{codeOf(problem)}</code>
          {trace ? ` · ${t('error.trace')} ${trace}` : ''}
        </span>
      </div>
    </div>
  )
}
