import { useQuery } from '@tanstack/react-query'
import Button from 'antd/es/button'
import { useId } from 'react'
import type { Person } from '#shared/contracts/person.ts'
import type { Retro } from '#shared/contracts/retro.ts'
import { peopleQuery } from '../../api/queries.ts'
import { newKey } from '../../ui/action-button.tsx'
import { Icon } from '../../ui/icons.tsx'
import { useTexts } from '../../ui/language.ts'
import type { Draft, DraftAction } from './retro-draft.ts'
import { Part } from './retro-facts.tsx'

interface ProseProps {
  readonly draft: Draft
  /** Absent when the retro may no longer be changed. */
  readonly onChange: ((draft: Draft) => void) | undefined
}

/** What happened, in people's words; the draft from the facts stands beside it. */
export function Summary({ retro, draft, onChange }: ProseProps & { readonly retro: Retro }) {
  const { t, read } = useTexts()
  const id = useId()
  return (
    <Part n={1} title={t('retro.summary')}>
      <div className="body stack">
        <h3>{t('retro.draft')}</h3>
        <p className="retro-fact">{read(retro.draftSummary)}</p>
        {onChange ? (
          <>
            <label className="sr" htmlFor={id}>
              {t('retro.summaryHint')}
            </label>
            <textarea
              id={id}
              className="field no-print"
              rows={4}
              placeholder={t('retro.summaryHint')}
              value={draft.summary}
              onChange={(event) => onChange({ ...draft, summary: event.target.value })}
            />
            {draft.summary ? null : (
              <span className="no-print">
                <Button size="small" onClick={() => onChange({ ...draft, summary: read(retro.draftSummary) })}>
                  {t('retro.useDraft')}
                </Button>
              </span>
            )}
          </>
        ) : null}
        <p className={onChange ? 'print-only' : ''}>{draft.summary}</p>
      </div>
    </Part>
  )
}

/** The chain of whys; each answer is a sentence by people. */
export function Whys({ retro, draft, onChange }: ProseProps & { readonly retro: Retro }) {
  const { t, read } = useTexts()
  const base = useId()
  // A question that nobody answered says nothing on paper, nor once the retro stands.
  const unanswered = onChange ? 'stack no-print' : 'gone'
  const set = (at: number, answer: string) =>
    onChange?.({ ...draft, whys: draft.whys.map((old, i) => (i === at ? answer : old)) })
  return (
    <Part n={5} title={t('retro.causes')}>
      <ol className="body stack">
        {retro.whys.map((why, i) => (
          <li key={read(why.question)} className={draft.whys[i] ? 'stack' : unanswered}>
            <label htmlFor={`${base}${i}`}>
              <b>{t('retro.why', { n: i + 1 })}</b> {read(why.question)}
            </label>
            {onChange ? (
              <textarea
                id={`${base}${i}`}
                className="field no-print"
                rows={1}
                placeholder={t('retro.answer')}
                value={draft.whys[i] ?? ''}
                onChange={(event) => set(i, event.target.value)}
              />
            ) : null}
            <p className={onChange ? 'print-only' : ''}>{draft.whys[i]}</p>
          </li>
        ))}
      </ol>
    </Part>
  )
}

/** What keeps it from coming again: what, of which kind, who, until when. */
export function Actions({ draft, onChange }: ProseProps) {
  const { t } = useTexts()
  const add = () =>
    onChange?.({
      ...draft,
      actions: [...draft.actions, { key: newKey(), text: '', type: 'prevent', ownerId: '', due: '' }],
    })
  const set = (key: string, change: Partial<DraftAction>) =>
    onChange?.({ ...draft, actions: draft.actions.map((one) => (one.key === key ? { ...one, ...change } : one)) })
  const remove = (key: string) => onChange?.({ ...draft, actions: draft.actions.filter((one) => one.key !== key) })
  return (
    <Part n={7} title={t('retro.actions')}>
      <div className="body stack">
        {draft.actions.length === 0 ? <p className="meta">{t('retro.actionsEmpty')}</p> : null}
        <ul className="stack">
          {draft.actions.map((action, i) => (
            <ActionRow
              key={action.key}
              n={i + 1}
              action={action}
              onSet={onChange ? (change) => set(action.key, change) : undefined}
              onRemove={() => remove(action.key)}
            />
          ))}
        </ul>
        {onChange ? (
          <span className="no-print">
            <Button onClick={add} icon={<Icon name="plus" />}>
              {t('retro.addAction')}
            </Button>
          </span>
        ) : null}
      </div>
    </Part>
  )
}

const TYPES = ['contain', 'correct', 'prevent'] as const

function ActionRow(props: {
  readonly n: number
  readonly action: DraftAction
  readonly onSet: ((change: Partial<DraftAction>) => void) | undefined
  readonly onRemove: () => void
}) {
  const { n, action, onSet } = props
  const { t } = useTexts()
  const people = useQuery(peopleQuery('')).data?.items ?? []
  const owner = people.find((person) => person.id === action.ownerId)?.name ?? t('retro.noOwner')
  const told = `${n}. ${action.text} · ${t(`words.measure.${action.type}`)} · ${owner} · ${action.due || '–'}`
  if (!onSet) return <li>{told}</li>
  return (
    <li>
      <p className="print-only">{told}</p>
      <ActionFields {...props} onSet={onSet} people={people} />
    </li>
  )
}

interface ActionFieldsProps {
  readonly n: number
  readonly action: DraftAction
  readonly people: readonly Person[]
  readonly onSet: (change: Partial<DraftAction>) => void
  readonly onRemove: () => void
}

function ActionFields({ n, action, people, onSet, onRemove }: ActionFieldsProps) {
  const { t } = useTexts()
  return (
    <div className="retro-action no-print">
      <input
        className="field"
        aria-label={`${t('retro.actionText')} ${n}`}
        placeholder={t('retro.actionText')}
        value={action.text}
        onChange={(event) => onSet({ text: event.target.value })}
      />
      <select
        className="field"
        aria-label={`${t('retro.actionType')} ${n}`}
        value={action.type}
        onChange={(event) => onSet({ type: TYPES.find((type) => type === event.target.value) ?? 'prevent' })}
      >
        {TYPES.map((type) => (
          <option key={type} value={type}>
            {t(`words.measure.${type}`)}
          </option>
        ))}
      </select>
      <select
        className="field"
        aria-label={`${t('retro.actionOwner')} ${n}`}
        value={action.ownerId}
        onChange={(event) => onSet({ ownerId: event.target.value })}
      >
        <option value="">{t('retro.noOwner')}</option>
        {people.map((person) => (
          <option key={person.id} value={person.id}>
            {person.name}
          </option>
        ))}
      </select>
      <input
        type="date"
        className="field"
        aria-label={`${t('retro.actionDue')} ${n}`}
        value={action.due}
        onChange={(event) => onSet({ due: event.target.value })}
      />
      <Button type="text" aria-label={t('retro.removeAction', { n })} onClick={onRemove} icon={<Icon name="close" />} />
    </div>
  )
}
