import type { Connection } from '../connection.ts'
import { byDevice, LABEL_NAMES, type TagSet } from '../labels.ts'

/** One series of an answer: its labels, and a row a point. */
export interface Series {
  readonly tags?: Readonly<Record<string, string>>
  readonly columns: readonly string[]
  readonly values: readonly (readonly (number | string | boolean | null)[])[]
}

/** Asks one database in InfluxQL. */
export interface InfluxQl {
  /** Series of each statement, in the order of the statements. @throws Error with the server's words. */
  ask(...statements: readonly string[]): Promise<(readonly Series[])[]>
  /** The measurement as a statement names it. */
  readonly from: string
  name(text: string): string
}

interface Answer {
  readonly results?: readonly { readonly series?: readonly Series[]; readonly error?: string }[]
  readonly error?: string
}

/** Opens the questions to a database; `policy` empty asks in its default retention policy. */
export function influxQl(connection: Connection, database: string, policy: string): InfluxQl {
  return {
    name,
    from: policy === '' ? '"tag"' : `${name(policy)}."tag"`,
    async ask(...statements) {
      const path = `/query?${new URLSearchParams({ db: database, epoch: 'ms' })}`
      const answer = JSON.parse((await connection.ask(path, { q: statements.join(';') })).toString()) as Answer
      const fault = answer.error ?? answer.results?.find((result) => result.error)?.error
      if (fault) throw new Error(`The server refused a query: ${fault}`)
      return statements.map((_, i) => answer.results?.[i]?.series ?? [])
    },
  }
}

const name = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
const literal = (text: string) => `'${text.replace(/['\\]/g, '\\$&')}'`

/** The four labels, as GROUP BY takes them. */
export const LABELS = LABEL_NAMES.map(name).join(', ')

const TAGS_IN_A_FILTER = 100

/** Conditions that together name all the tags, each for some tags of one device. */
export const conditions = (tags: TagSet): string[] =>
  byDevice(tags, TAGS_IN_A_FILTER).map(({ group, edge, device, names }) => {
    const owner = `"group" = ${literal(group)} AND "edge" = ${literal(edge)} AND "device" = ${literal(device)}`
    return `${owner} AND (${names.map((tag) => `"tag" = ${literal(tag)}`).join(' OR ')})`
  })

/** Half-open span of time in ms. */
export const within = (from: number, to: number): string =>
  `time >= ${Math.trunc(from)}ms AND time < ${Math.trunc(to)}ms`
