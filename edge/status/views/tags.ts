import { NOT_MEASURED } from '#edge/acquisition/tag-faults.ts'
import { type Html, html } from '../html.ts'
import type { Ask } from '../http.ts'
import { qualityIn, type Words, wordsIn } from '../page-words.ts'
import type { StatusSources } from '../snapshot.ts'
import { findTags, QUALITIES, type QualityWord, type TagPage, type TagQuery, type TagSnapshot } from '../tags.ts'
import { count, mark, span, table, when } from './parts.ts'

const MOST_A_PAGE = 500

/** What a person asked for in the address; anything that is no number or quality is left out. */
export function tagQuery(query: URLSearchParams): TagQuery {
  const whole = (name: string, usual: number) => {
    const value = Number(query.get(name) || usual)
    return Number.isInteger(value) && value > 0 ? value : usual
  }
  return {
    device: query.get('device') || undefined,
    text: query.get('q') || undefined,
    quality: QUALITIES.find((quality) => quality === query.get('quality')),
    page: whole('page', 1),
    limit: Math.min(whole('limit', 100), MOST_A_PAGE),
  }
}

/** Tags by device, words and quality, a page at a time. */
export function tagsView(sources: StatusSources, ask: Ask): Html {
  const words = wordsIn(ask.language)
  const query = tagQuery(ask.query)
  const found = findTags(sources, query)
  return html`${filter(sources, query, words)}<section data-live><p class="quiet" role="status">${count(found.total, ask.language)} ${words.found}</p>
${table(
  columnsOf(words),
  found.items.map((tag) => row(tag, ask, words)),
  words.noTags,
)}${pages(found, ask, words)}</section>`
}

function filter({ model }: StatusSources, query: TagQuery, words: Words): Html {
  const option = (value: string, word: string, chosen: string | undefined) =>
    html`<option value="${value}"${value === (chosen ?? '') && html` selected`}>${word}</option>`
  return html`<form class="row" method="get" action="/tags" role="search">
<label><span>${words.search}</span><input name="q" type="search" value="${query.text ?? ''}" placeholder="${words.searchHint}"></label>
<label><span>${words.device}</span><select name="device">${option('', words.all, query.device)}${model.devices.map(({ device }) => option(device, device, query.device))}</select></label>
<label><span>${words.quality}</span><select name="quality">${option('', words.all, query.quality)}${QUALITIES.map((quality) => option(quality, qualityIn(quality, words), query.quality))}</select></label>
<button>${words.apply}</button></form>`
}

const columnsOf = (words: Words) => [
  { head: words.tag },
  { head: words.device },
  { head: words.value, isNumber: true },
  { head: words.quality },
  { head: words.sourceTime, isNumber: true },
  { head: words.age, isNumber: true },
  { head: words.reason },
]

function row(tag: TagSnapshot, { language }: Ask, words: Words) {
  const word = tag.word ? `${tag.word[language]} ` : ''
  const value = tag.value === null ? '–' : `${word}${tag.value} ${tag.unit ?? ''}`
  const isOld = tag.quality === 'stale' || tag.quality === 'bad'
  return [
    html`${tag.name[language]} <small>${tag.tag}</small>`,
    html`<a href="/devices/${tag.device}">${tag.device}</a>`,
    isOld ? html`<span class="old">${value}</span>` : value,
    mark(tag.reason === NOT_MEASURED ? 'plain' : QUALITY_MARKS[tag.quality], qualityIn(tag.quality, words)),
    when(tag.sourceAt, language),
    span(tag.ageMs, language),
    tag.reason === NOT_MEASURED ? words.notMeasuredHelp : (tag.reason ?? ''),
  ]
}

const QUALITY_MARKS: Readonly<Record<QualityWord, 'plain' | 'warn' | 'off'>> = {
  good: 'plain',
  uncertain: 'warn',
  bad: 'off',
  stale: 'warn',
}

function pages({ page, pages: last }: TagPage, { query }: Ask, words: Words): Html {
  if (last === 1) return html``
  const link = (to: number, word: string) => {
    const address = new URLSearchParams(query)
    address.set('page', String(to))
    return html`<a class="button" href="/tags?${address.toString()}">${word}</a>`
  }
  return html`<nav class="pages" aria-label="${words.page}">${page > 1 && link(page - 1, words.previous)}
<span>${words.page} ${page} / ${last}</span>${page < last && link(page + 1, words.following)}</nav>`
}
