import { type Html, html, type Part } from '../html.ts'
import { wordsIn } from '../page-words.ts'
import type { Language } from '../words.ts'

/** A state with its sign: grey means fine, a colour that something is wrong. */
export const mark = (kind: 'on' | 'off' | 'warn' | 'plain', word: string): Html =>
  html`<span class="s-${kind}">${word}</span>`

export interface Column {
  readonly head: string
  readonly isNumber?: boolean
}

/** A table that becomes a list of cards on a phone; `empty` says what to do when there is nothing. */
export function table(columns: readonly Column[], rows: readonly (readonly Part[])[], empty: string): Html {
  if (rows.length === 0) return html`<p class="quiet">${empty}</p>`
  const cell = (part: Part, { head, isNumber }: Column) =>
    html`<td data-label="${head}"${isNumber && html` class="n"`}><span>${part}</span></td>`
  return html`<table class="cards"><thead><tr>${columns.map(({ head }) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${columns.map((column, i) => cell(row[i], column))}</tr>`)}</tbody></table>`
}

/** Facts with their names; a fact that is undefined is left out. */
export const facts = (rows: readonly (readonly [string, Part])[]): Html =>
  html`<dl>${rows.filter(([, fact]) => fact !== undefined).map(([name, fact]) => html`<dt>${name}</dt><dd class="n">${fact}</dd>`)}</dl>`

const UNITS = [
  ['d', '天', 86_400_000],
  ['h', '小时', 3_600_000],
  ['min', '分', 60_000],
  ['s', '秒', 1000],
] as const

/** A time span as people say it: `3 min`, `1.5 s`. */
export function span(ms: number | undefined, language: Language): string {
  if (ms === undefined) return '–'
  const [en, zh, size] = UNITS.find(([, , unit]) => Math.abs(ms) >= unit * 1.5) ?? UNITS[3]
  const digits = size === 1000 && Math.abs(ms) < 10_000 ? 1 : 0
  return `${(ms / size).toFixed(digits)} ${language === 'zh-CN' ? zh : en}`
}

/** How long ago something was. */
export function ago(at: number | undefined, now: number, language: Language): string {
  const words = wordsIn(language)
  if (at === undefined) return words.never
  return `${span(Math.max(0, now - at), language)} ${words.ago}`
}

/** Kept: making one costs a hundred times as much as using it, and a page has hundreds of times. */
const moments = (locale: string) =>
  new Intl.DateTimeFormat(locale, { dateStyle: 'short', timeStyle: 'medium', hourCycle: 'h23' })
const MOMENTS: Readonly<Record<Language, Intl.DateTimeFormat>> = { en: moments('en-GB'), 'zh-CN': moments('zh-CN') }
const NUMBERS: Readonly<Record<Language, Intl.NumberFormat>> = {
  en: new Intl.NumberFormat('en'),
  'zh-CN': new Intl.NumberFormat('zh-CN'),
}

/** A date with time in the clock of this box. */
export const when = (at: number | undefined | null, language: Language): string =>
  at === undefined || at === null ? '–' : MOMENTS[language].format(at)

/** Bytes as people read them. */
export const bytes = (size: number): string =>
  size >= 1e9 ? `${(size / 1e9).toFixed(1)} GB` : `${(size / 1e6).toFixed(1)} MB`

/** A whole number with its thousands apart. */
export const count = (value: number | bigint, language: Language): string => NUMBERS[language].format(value)
