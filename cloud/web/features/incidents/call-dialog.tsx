import { useQuery } from '@tanstack/react-query'
import { useId, useState } from 'react'
import type { Incident } from '#shared/contracts/incident.ts'
import type { Person, PersonRef } from '#shared/contracts/person.ts'
import { callPeople } from '../../api/acts.ts'
import { peopleQuery } from '../../api/queries.ts'
import { ActionButton } from '../../ui/action-button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { useTexts } from '../../ui/language.ts'
import { PersonChip } from '../../ui/person-chip.tsx'

/** How many names are enough to choose from. */
const NAMES = 12

/** Calls more people to the incident; people on duty stand first. */
export function CallDialog({ incident, onClose }: { readonly incident: Incident; readonly onClose: () => void }) {
  const { t } = useTexts()
  const [q, setQ] = useState('')
  const [note, setNote] = useState('')
  const [chosen, setChosen] = useState<readonly PersonRef[]>([])
  const [searchId, noteId] = [useId(), useId()]
  const isChosen = (person: PersonRef) => chosen.some((one) => one.id === person.id)
  const toggle = (person: PersonRef) =>
    setChosen(isChosen(person) ? chosen.filter((one) => one.id !== person.id) : [...chosen, person])
  return (
    <Dialog title={t('room.callTitle')} onClose={onClose}>
      <label className="label" htmlFor={searchId}>
        <span className="meta">{t('room.callSearch')}</span>
        <input id={searchId} type="search" className="field" value={q} onChange={(event) => setQ(event.target.value)} />
      </label>
      <Found q={q} isChosen={isChosen} onToggle={toggle} />
      <label className="label" htmlFor={noteId}>
        <span className="meta">{t('room.callNote')}</span>
        <textarea
          id={noteId}
          className="field"
          rows={2}
          value={note}
          onChange={(event) => setNote(event.target.value)}
        />
      </label>
      <ActionButton
        isPrimary
        label={t('room.callSend', { count: chosen.length })}
        reason={chosen.length === 0 ? t('room.callNobody') : null}
        run={(send) =>
          callPeople(
            incident.id,
            chosen.map((person) => person.id),
            send,
            note.trim(),
          )
        }
        onDone={onClose}
      />
    </Dialog>
  )
}

function Found(props: {
  readonly q: string
  readonly isChosen: (person: PersonRef) => boolean
  readonly onToggle: (person: Person) => void
}) {
  const { t } = useTexts()
  const people = useQuery(peopleQuery(props.q)).data?.items ?? []
  const shown = people.toSorted((a, b) => Number(b.isOnDuty) - Number(a.isOnDuty)).slice(0, NAMES)
  if (shown.length === 0) return <p className="meta">{t('room.callEmpty')}</p>
  return (
    <ul className="call-list">
      {shown.map((person) => (
        <li key={person.id}>
          <label className="row call-person">
            <input type="checkbox" checked={props.isChosen(person)} onChange={() => props.onToggle(person)} />
            <span className="grow">
              <PersonChip person={person} />
            </span>
            <span className="meta">
              {person.trades.map((trade) => t(`words.trade.${trade}`)).join(' · ')}
              {person.isOnDuty ? ` · ${t('app.onDuty')}` : ''}
            </span>
          </label>
        </li>
      ))}
    </ul>
  )
}
