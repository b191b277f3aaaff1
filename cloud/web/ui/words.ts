import { useTexts } from './language.ts'

/** Words of states, fields and acts whose names come from the server; a name that is not known is shown as it is. */
export function useWord() {
  const { t } = useTexts()
  return (prefix: string, name: string): string => {
    const loose = t as unknown as (key: string, options: { defaultValue: string }) => string
    return loose(`${prefix}.${name}`, { defaultValue: name })
  }
}

const STATE_WORDS: Readonly<Record<string, string>> = {
  incident: 'words.incident',
  'work-order': 'words.order',
  retro: 'words.retro',
}

/** Word of a record's state. */
export function useStateWord() {
  const word = useWord()
  return (type: string, state: string) => word(STATE_WORDS[type] ?? 'words.incident', state)
}

/** Label of a card's field. */
export function useFieldLabel() {
  const word = useWord()
  return (key: string) => word('words.field', key)
}

/** Label of an offered act. */
export function useActLabel() {
  const word = useWord()
  return (verb: string) => word('words.act', verb)
}

/** Cause of a data gap. */
export function useCauseWord() {
  const word = useWord()
  return (cause: string) => word('words.cause', cause)
}
