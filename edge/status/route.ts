import type { Door } from './door.ts'
import type { Html } from './html.ts'
import { type Answer, type Ask, page } from './http.ts'
import { wordsIn } from './page-words.ts'
import type { StatusSources } from './snapshot.ts'
import type { Traces } from './traces.ts'
import { layout } from './views/layout.ts'

/** What handlers work with. */
export interface Page {
  readonly sources: StatusSources
  readonly door: Door
  readonly traces: Traces
}

/**
 * One place of the page. `open`: to all. `reader`: with the token. `action`: with the token, and a form that carries the
 * session's secret.
 */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** `/devices/:device` */
  readonly path: string
  readonly rule: 'open' | 'reader' | 'action'
  /** Of a form; 64 KB unless told. */
  readonly mostBytes?: number
  readonly handle: (ask: Ask, page: Page) => Answer | Promise<Answer>
}

/** A page of this title. */
export function sheet(ask: Ask, { model }: StatusSources, title: string, body: Html): Answer {
  return page(layout(ask, { title, name: `${model.group}/${model.edge}`, body }))
}

type Titles = 'overview' | 'lanes' | 'devices' | 'tags' | 'gaps' | 'tools' | 'certificates'

/** A handler that shows one view under its title. */
export const view =
  (title: Titles, body: (sources: StatusSources, ask: Ask) => Html): Route['handle'] =>
  (ask, { sources }) =>
    sheet(ask, sources, wordsIn(ask.language)[title], body(sources, ask))
