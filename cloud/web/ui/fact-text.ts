import type { TFunction } from 'i18next'
import type { TimelineEntry } from '#shared/contracts/incident.ts'
import { useTexts } from './language.ts'
import { useWord } from './words.ts'

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Five significant places are enough to judge a value in a sentence or a narrow table. */
export const numberOf = (value: unknown): string =>
  typeof value === 'number' ? String(Number(value.toPrecision(5))) : String(value ?? '')

/** Value and setpoint of an alarm fact: `5.48 < 6`; of a return the value alone. A code without a setpoint says nothing. */
function reading({ type, data }: TimelineEntry): string {
  if (typeof data.setpoint !== 'number' || data.value === undefined) return ''
  if (type === 'alarm.returned') return ` ${numberOf(data.value)}`
  const sign = textOf(data.level).startsWith('L') ? '<' : '>'
  return ` ${numberOf(data.value)} ${sign} ${numberOf(data.setpoint)}`
}

/** Arrival and reason, where the fact has them. */
function additions(t: TFunction, data: TimelineEntry['data']): string {
  const eta = typeof data.etaMinutes === 'number' ? [t('room.eta', { count: data.etaMinutes })] : []
  const reason = textOf(data.reason) || textOf(data.comment)
  return [...eta, ...(reason ? [reason] : [])].map((part) => ` · ${part}`).join('')
}

/** A fact in the reader's words: what happened, to which record, about whom, with reason and reading. */
export function useFactText() {
  const { t, read } = useTexts()
  const word = useWord()
  return (fact: TimelineEntry): string => {
    const text = read(fact.text ?? '')
    if (fact.type.startsWith('message.')) return text
    const what = word('words.fact', fact.type)
    if (fact.source === 'machine') return `${text} · ${what}${reading(fact)}${additions(t, fact.data)}`
    const number = fact.type.startsWith('work-order.') ? fact.recordNumber : null
    const about = text === fact.actor?.name ? '' : text
    return [number, what, about].filter((part) => part).join(' ') + additions(t, fact.data)
  }
}
