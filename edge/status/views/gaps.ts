import type { GapRecord } from '#shared/contracts/gap.ts'
import { causeWords } from '../gap-words.ts'
import { type Html, html } from '../html.ts'
import type { Ask } from '../http.ts'
import { wordsIn } from '../page-words.ts'
import type { StatusSources } from '../snapshot.ts'
import { count, table, when } from './parts.ts'

/** What was not kept and why, the newest first. */
export function gapsView(sources: StatusSources, ask: Ask): Html {
  const words = wordsIn(ask.language)
  const rows = sources
    .gaps()
    .map((gap: GapRecord) => [
      gap.device ?? words.wholeEdge,
      when(gap.firstTime, ask.language),
      when(gap.lastTime, ask.language),
      gap.count > 0 ? count(gap.count, ask.language) : words.countUnknown,
      html`${causeWords(gap.cause, ask.language)} <small>${gap.cause}</small>`,
    ])
  const heads = [words.device, words.from, words.to, words.count, words.cause]
  const columns = heads.map((head, i) => ({ head, isNumber: i > 0 && i < 4 }))
  return html`<section data-live>${table(columns, rows, words.noGaps)}<p class="quiet">${words.gapsHelp}</p></section>`
}
