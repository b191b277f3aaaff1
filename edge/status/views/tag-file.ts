import { type Html, html, type Part } from '../html.ts'
import type { Ask } from '../http.ts'
import { wordsIn } from '../page-words.ts'
import type { CsvFault, tagChanges } from '../tag-csv.ts'
import { secret } from './layout.ts'
import { facts, mark, table } from './parts.ts'

/** What became of a file that a person gave. */
export interface ImportResult {
  readonly faults: readonly CsvFault[]
  readonly isImport: boolean
  readonly changes: ReturnType<typeof tagChanges> | undefined
}

/** Tags out and in. */
export function tagFileView(ask: Ask, device: string, result: Part): Html {
  const words = wordsIn(ask.language)
  return html`<section id="tag-file"><h2>${words.tagFile}</h2><p class="quiet">${words.tagFileHelp}</p>
<p><a class="button" href="/devices/${device}/tags.csv">${words.exportFile}</a></p>
<form class="row" method="post" action="/devices/${device}/tags" enctype="multipart/form-data">${secret(ask)}
<label><span>${words.importFile}</span><input type="file" name="file" accept=".csv,text/csv" required></label>
<button name="do" value="check">${words.check}</button><button name="do" value="import">${words.importNow}</button></form>${result}</section>`
}

/** The first faults tell enough; the rest are mended with them or shown by the next try. */
const MOST_SHOWN = 200

/** Every fault with its place, or what changes. */
export function importPart({ faults, isImport, changes }: ImportResult, ask: Ask): Html {
  const words = wordsIn(ask.language)
  if (faults.length > 0 || !changes) {
    const rows = faults.slice(0, MOST_SHOWN).map(({ row, column, found, fix }) => [row ?? '–', column, found, fix])
    const columns = [words.row, words.column, words.result, words.fix].map((head) => ({ head }))
    return html`<div role="alert"><p>${mark('off', `${words.importFaults} ${faults.length}`)}</p>${table(columns, rows, '')}</div>`
  }
  const list = (tags: readonly string[]) =>
    tags.length === 0 ? '0' : `${tags.length}: ${tags.slice(0, 20).join(', ')}${tags.length > 20 ? ' …' : ''}`
  return html`<div role="status"><p>${mark('on', isImport ? words.importDone : words.importRight)}</p>${facts([
    [words.added, list(changes.added)],
    [words.changed, list(changes.changed)],
    [words.removed, list(changes.removed)],
  ])}</div>`
}
