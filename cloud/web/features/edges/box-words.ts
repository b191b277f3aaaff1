import type { Accepted, ConfigurationFault } from '#shared/contracts/edge-configuration.ts'
import { useTexts } from '../../ui/language.ts'

type Params = Readonly<Record<string, string | number>>

/** What a box tells: English words, with code and parts where it gives them. */
interface Told {
  readonly code?: string | undefined
  readonly params?: Params | undefined
}

type Loose = (key: string, options: Readonly<Record<string, unknown>>) => string

/** Words what a box tells in the language of the reader; what has no code that is known here stays as the box words it. */
export function useBoxWords() {
  const { t } = useTexts()
  const loose = t as unknown as Loose
  return {
    /** Why a box did not take a push. */
    refusal: ({ code, params }: Told, words: string): string =>
      code === undefined ? words : loose(`edges.refusal.${code}`, { ...params, defaultValue: words }),
    /** Why a box went back to the version before. */
    reason: ({ code, params }: Told, words: string): string =>
      code === undefined ? words : loose(`edges.wentBack.${code}`, { ...params, defaultValue: words }),
    /** Why a device does not answer, with the next step. */
    loss: (kind: string | undefined, words: string): string =>
      kind === undefined ? words : loose(`edges.loss.${kind}`, { error: words, defaultValue: words }),
    /** What is wrong at a place of a configuration, and what to do; undefined where the box gives no code known here. */
    fault: ({ code, params, found, accepts = [] }: ConfigurationFault): string | undefined => {
      if (code === undefined) return undefined
      const own = { found: foundWords(loose, params, found), accepts: acceptedWords(loose, accepts) }
      return loose(`edges.configurationFault.${code}`, { ...params, ...own, defaultValue: '' }) || undefined
    },
  }
}

function foundWords(loose: Loose, params: Params | undefined, found: string | null): string {
  const kind = params?.found
  return kind === undefined ? (found ?? '–') : loose(`edges.found.${kind}`, { ...params, defaultValue: found ?? '–' })
}

function acceptedWords(loose: Loose, accepts: readonly Accepted[]): string {
  const joined = (texts: readonly string[], by: string) => texts.join(loose(`edges.accepts.${by}`, {}))
  const one = ({ type, values, bounds, words }: Accepted): string => {
    if (words !== null) return words
    if (values.length > 0) return joined(values, 'comma')
    const kind = loose(`edges.accepts.${type ?? 'any'}`, { defaultValue: String(type) })
    const told = bounds.map(({ bound, value }) => boundWords(loose, bound, value))
    return told.length === 0 ? kind : `${kind} (${joined(told, 'comma')})`
  }
  return joined([...new Set(accepts.map(one))], 'or')
}

/** Patterns of names are told in words. */
const NAME_PATTERN = '^[a-z0-9]+(-[a-z0-9]+)*$'

function boundWords(loose: Loose, bound: string, value: string): string {
  if (bound === 'minLength' && value === '1') return loose('edges.bound.notEmpty', {})
  if (bound === 'pattern' && value === NAME_PATTERN) return loose('edges.bound.name', {})
  return loose(`edges.bound.${bound}`, { value, defaultValue: `${bound} ${value}` })
}
