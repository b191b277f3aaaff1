import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import Button from 'antd/es/button'
import { useEffect, useState } from 'react'
import type { Retro } from '#shared/contracts/retro.ts'
import { editRetro, moveRetro } from '../../api/acts.ts'
import { ApiError } from '../../api/http.ts'
import { actOf, verbOf } from '../../api/offers.ts'
import { retroQuery } from '../../api/queries.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { formatMoment, formatSpan } from '../../ui/format.ts'
import { Icon } from '../../ui/icons.tsx'
import { useTexts } from '../../ui/language.ts'
import { Loaded } from '../../ui/loaded.tsx'
import { problemText, reasonText } from '../../ui/problem.ts'
import { ReasonDialog } from '../../ui/reason-dialog.tsx'
import { StateBadge } from '../../ui/state-badge.tsx'
import { useActLabel } from '../../ui/words.ts'
import { type Draft, draftOf, editOf, isChanged } from './retro-draft.ts'
import { Clocks, Done, FirstOut, Similar, TimelinePart } from './retro-facts.tsx'
import { Actions, Summary, Whys } from './retro-prose.tsx'
import './retros.css'

const route = getRouteApi('/inside/retros/$id')

/** One retro: facts that stand, prose that people write, and the decision. */
export function RetroScreen() {
  const { id } = route.useParams()
  const retro = useQuery(retroQuery(id))
  return (
    <Loaded query={retro} height={400}>
      {(data) => <Whole key={data.id} retro={data} />}
    </Loaded>
  )
}

const EDITABLE: readonly string[] = ['pending', 'drafting', 'in_review']

type Saving =
  | { readonly is: 'rest' }
  | { readonly is: 'sending' }
  | { readonly is: 'saved'; readonly at: number }
  | { readonly is: 'refused'; readonly cause: string }
  | { readonly is: 'conflict' }

/** The draft of the viewer over the server's retro; somebody else's change shows as a conflict, never as a loss. */
function useDraft(retro: Retro) {
  const { t } = useTexts()
  const client = useQueryClient()
  const [draft, setDraft] = useState<Draft>(() => draftOf(retro))
  const [base, setBase] = useState(retro)
  const [saving, setSaving] = useState<Saving>({ is: 'rest' })
  const isDirty = isChanged(draft, base)
  useEffect(() => {
    if (retro.revision === base.revision) return
    if (isDirty) return
    setBase(retro)
    setDraft(draftOf(retro))
  }, [retro, base.revision, isDirty])
  const save = async (revision = base.revision) => {
    setSaving({ is: 'sending' })
    try {
      await editRetro(retro.id, revision, editOf(draft))
      const fresh = await client.fetchQuery({ ...retroQuery(retro.number), staleTime: 0 })
      await client.invalidateQueries({ queryKey: ['retros'] })
      setBase(fresh)
      setDraft(draftOf(fresh))
      setSaving({ is: 'saved', at: Date.now() })
    } catch (error) {
      const isConflict = error instanceof ApiError && error.problem.status === 412
      setSaving(isConflict ? { is: 'conflict' } : { is: 'refused', cause: problemText(t, error) })
    }
  }
  const takeTheirs = () => {
    setBase(retro)
    setDraft(draftOf(retro))
    setSaving({ is: 'rest' })
  }
  return { draft, setDraft, isDirty, saving, save, takeTheirs, keepMine: () => save(retro.revision) }
}

function Whole({ retro }: { readonly retro: Retro }) {
  const editor = useDraft(retro)
  const isEditable = EDITABLE.includes(retro.state)
  const change = isEditable ? editor.setDraft : undefined
  return (
    <div className="screen retro">
      <Head retro={retro} isDirty={editor.isDirty} />
      <Returned retro={retro} />
      {isEditable ? <SaveBar editor={editor} /> : <Stands retro={retro} />}
      <Summary retro={retro} draft={editor.draft} onChange={change} />
      <Clocks retro={retro} />
      <FirstOut retro={retro} />
      <TimelinePart retro={retro} />
      <Whys retro={retro} draft={editor.draft} onChange={change} />
      <Done retro={retro} />
      <Actions draft={editor.draft} onChange={change} />
      <Similar retro={retro} />
      <SignOff retro={retro} />
    </div>
  )
}

function Head({ retro, isDirty }: { readonly retro: Retro; readonly isDirty: boolean }) {
  const { t, read, language } = useTexts()
  const missing = retro.missing.length
  return (
    <>
      <header className="screen-head">
        <div className="title">
          <span className="chip severity">{retro.severity}</span>
          <h1>
            <span className="meta num">{retro.number}</span> {read(retro.title)}
          </h1>
        </div>
        <span className="row wrap">
          <StateBadge kind="retro" state={retro.state} />
          <Link to="/incidents/$id" params={{ id: retro.incident.number }}>
            {retro.incident.number}
          </Link>
          <Link to="/assets/$id" params={{ id: retro.asset.id }}>
            {retro.asset.code}
          </Link>
        </span>
        <Offers retro={retro} isDirty={isDirty} />
      </header>
      <dl className="retro-figures">
        <Figure name={t('retro.began')} value={formatMoment(retro.startedAt, language)} />
        <Figure name={t('retro.restored')} value={retro.restoredAt ? formatMoment(retro.restoredAt, language) : '–'} />
        <Figure
          name={t('retro.downtime')}
          value={retro.downtimeSeconds === null ? '–' : formatSpan(retro.downtimeSeconds * 1000, language)}
        />
        <Figure
          name={t('retro.status')}
          value={missing === 0 ? `✓ ${t('retro.complete')}` : t('retro.missing', { count: missing })}
        />
      </dl>
      {missing > 0 ? (
        <ul className="retro-missing no-print">
          {retro.missing.map((one) => (
            <li key={one.code}>{read(one.text)}</li>
          ))}
        </ul>
      ) : null}
    </>
  )
}

function Figure({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt className="meta">{name}</dt>
      <dd className="num">
        <b>{value}</b>
      </dd>
    </div>
  )
}

function Offers({ retro, isDirty }: { readonly retro: Retro; readonly isDirty: boolean }) {
  const { t } = useTexts()
  const actLabel = useActLabel()
  const [isReturning, setReturning] = useState(false)
  return (
    <span className="acts no-print">
      {retro.offers.map((offer) => {
        const verb = verbOf('retro', offer.action)
        const act = actOf('retro', offer.action)
        const unsaved = isDirty ? t('retro.unsaved') : null
        const reason = offer.isEnabled ? unsaved : reasonText(t, offer.reason)
        if (verb === 'return') {
          return (
            <Button key={verb} disabled={!offer.isEnabled} onClick={() => setReturning(true)}>
              {actLabel(verb)}
            </Button>
          )
        }
        return act ? (
          <ActionButton
            key={verb}
            label={actLabel(verb)}
            isPrimary={offer.isPrimary}
            reason={reason}
            run={(send) => act(retro.id, send)}
          />
        ) : null
      })}
      <Button onClick={() => window.print()} icon={<Icon name="print" />}>
        {t('retro.print')}
      </Button>
      {isReturning ? (
        <ReasonDialog
          title={t('retro.returnTitle')}
          submit={t('retro.returnSend')}
          run={(reason, send) => moveRetro(retro.id, 'drafting', send, reason)}
          onClose={() => setReturning(false)}
        />
      ) : null}
    </span>
  )
}

function SaveBar({ editor }: { readonly editor: ReturnType<typeof useDraft> }) {
  const { saving, isDirty } = editor
  if (saving.is === 'conflict') return <Conflict editor={editor} />
  if (!isDirty && saving.is !== 'saved' && saving.is !== 'refused') return null
  return <SaveLine editor={editor} />
}

/** Both versions are kept: the viewer decides which one stands. */
function Conflict({ editor }: { readonly editor: ReturnType<typeof useDraft> }) {
  const { t } = useTexts()
  return (
    <div className="retro-conflict no-print" role="alert">
      <b>{t('retro.changedTitle')}</b>
      <span>{t('retro.changedNext')}</span>
      <span className="row wrap">
        <Button onClick={editor.takeTheirs}>{t('retro.readTheirs')}</Button>
        <Button onClick={() => void editor.keepMine()}>{t('retro.keepMine')}</Button>
      </span>
    </div>
  )
}

function SaveLine({ editor }: { readonly editor: ReturnType<typeof useDraft> }) {
  const { t, time } = useTexts()
  const { saving, isDirty } = editor
  const said = () => {
    if (saving.is === 'refused') return t('action.refused', { cause: saving.cause })
    if (isDirty) return t('retro.unsaved')
    return saving.is === 'saved' ? t('retro.saved', { time: time(saving.at) }) : ''
  }
  return (
    <div className="row wrap retro-save no-print" role="status">
      <span className="grow">{said()}</span>
      {isDirty ? (
        <Button type="primary" aria-busy={saving.is === 'sending'} onClick={() => void editor.save()}>
          {saving.is === 'sending' ? t('action.sending') : t('action.save')}
        </Button>
      ) : null}
    </div>
  )
}

/** Why it came back, for those who write it anew. */
function Returned({ retro }: { readonly retro: Retro }) {
  const { t, language } = useTexts()
  const { returned } = retro
  if (!returned) return null
  return (
    <p className="retro-missing no-print" role="status">
      <b>{returned.reason}</b>
      <br />
      <span className="meta">
        {t('retro.returnedBy', { name: returned.by?.name ?? '–', at: formatMoment(returned.at, language) })}
      </span>
    </p>
  )
}

/** Who approved it and when; from then on it stands as it is. */
function Stands({ retro }: { readonly retro: Retro }) {
  const { t } = useTexts()
  const approval = useApproval(retro)
  if (!approval) return null
  return (
    <p className="retro-fact no-print" role="status">
      <b>✓ {approval}</b> {t('retro.approvedStands')}
    </p>
  )
}

function useApproval({ approvedBy, approvedAt }: Retro): string | null {
  const { t, language } = useTexts()
  if (!approvedBy || !approvedAt) return null
  return t('retro.approvedBy', { name: approvedBy.name, at: formatMoment(approvedAt, language) })
}

/** Where the printed page is signed. */
function SignOff({ retro }: { readonly retro: Retro }) {
  const { t } = useTexts()
  const approval = useApproval(retro)
  return (
    <section className="retro-sign">
      <h2>{t('retro.signOff')}</h2>
      <p>{approval ?? '________________________'}</p>
    </section>
  )
}
