import type { KeptHistory } from '../contract.ts'
import type { Deletion, Historian, HistoryLevel } from './historian.ts'
import { classNumber, keptFor, type RetentionSettings } from './retention-classes.ts'

export interface KeptOptions {
  readonly historian: Pick<Historian, 'deletions' | 'status'>
  readonly settings: RetentionSettings
  /** The retention class of a tag; undefined for an unknown path. */
  readonly classOf: (path: string) => string | undefined
  /** ms since 1970 */
  readonly clock: () => number
}

/** What was removed changes a few times an hour, and its record is long after years. */
const FRESH_MS = 60_000

interface Past {
  readonly deletions: readonly Deletion[]
  readonly engine: { readonly name: string; readonly retentionMs: number | null } | undefined
}

/** Tells how long tags are kept, and what of them retention has removed. */
export function keptReader({ historian, settings, classOf, clock }: KeptOptions) {
  let read: { readonly at: number; readonly past: Promise<Past> } | undefined
  const readPast = async (): Promise<Past> => {
    const [deletions, { engine }] = await Promise.all([historian.deletions(), historian.status()])
    return { deletions, engine }
  }
  const pastNow = async () => {
    if (!read || clock() - read.at > FRESH_MS) read = { at: clock(), past: readPast() }
    try {
      return await read.past
    } catch (error) {
      read = undefined
      throw error
    }
  }
  return async (paths: readonly string[]): Promise<KeptHistory[]> => {
    const { deletions, engine } = await pastNow()
    return paths.flatMap((path) => {
      const name = classOf(path)
      if (name === undefined) return []
      if (engine)
        return { path, class: null, engine: engine.name, keepMs: same(engine.retentionMs), removedUntil: same(null) }
      const own = deletions.filter((deletion) => deletion.class === classNumber(name))
      const until = (level: HistoryLevel) => lastOf(own.filter((deletion) => deletion.level === level))
      const removedUntil = { values: until('raw'), minutes: until('minute'), hours: until('hour') }
      return { path, class: name, engine: null, keepMs: keptFor(settings, name), removedUntil }
    })
  }
}

const same = (value: number | null) => ({ values: value, minutes: value, hours: value })

const lastOf = (deletions: readonly Deletion[]): number | null =>
  deletions.reduce<number | null>((latest, { lastAt }) => (latest === null || lastAt > latest ? lastAt : latest), null)
