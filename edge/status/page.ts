import type { LaneStatus } from '#edge/drivers/driver.ts'
import type { DeviceSnapshot, EdgeSnapshot, FaultSnapshot, TagSnapshot } from './snapshot.ts'
import { type Language, lossWords, troubleWords, type Words, wordsIn } from './words.ts'

interface View {
  readonly snapshot: EdgeSnapshot
  readonly language: Language
  readonly words: Words
}

/** The local page: one HTML document without scripts that loads itself anew every 5 s. */
export function pageHtml(snapshot: EdgeSnapshot, language: Language): string {
  const view: View = { snapshot, language, words: wordsIn(language) }
  const name = escaped(`${snapshot.group}/${snapshot.edge}`)
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>${view.words.title} ${name}</title>
<style>${STYLE}</style></head><body>
<h1>${view.words.title} <small>${name}</small></h1>
${faultsHtml(view)}${uplinkHtml(view)}
${snapshot.devices.map((device) => deviceHtml(device, view)).join('\n')}
${lanesHtml(view)}
</body></html>
`
}

const STYLE = `
:root{color-scheme:light dark;font:15px/1.45 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}
body{margin:0 auto;max-width:60rem;padding:1rem}h1{font-size:1.4rem}small{font-weight:400;opacity:.7}
section{border:1px solid color-mix(in srgb,currentColor 20%,transparent);border-radius:.5rem;margin:1rem 0;padding:.75rem 1rem;overflow-x:auto}
h2{font-size:1.05rem;margin:0 0 .5rem}table{border-collapse:collapse;width:100%}th,td{padding:.2rem .75rem .2rem 0;text-align:left;vertical-align:top}
th{font-weight:500;opacity:.7}td.n{font-variant-numeric:tabular-nums;white-space:nowrap}dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:0}
dt{opacity:.7}dd{margin:0}.off{font-weight:600}.off::before{content:"✕ "}.on::before{content:"● "}.note{border-left:.25rem solid;padding-left:.75rem;margin:.5rem 0}
`

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

function faultsHtml({ snapshot, language, words }: View): string {
  if (snapshot.faults.length === 0) return ''
  const items = snapshot.faults.map((fault) => faultHtml(fault, language))
  return `<section class="note"><h2>${words.faults}</h2><ul>${items.join('')}</ul></section>\n`
}

function faultHtml({ at, path, kind, found }: FaultSnapshot, language: Language): string {
  const { what, next } = troubleWords(kind, language)
  const { next: nextWord } = wordsIn(language)
  return `<li>${escaped(at)} <code>${escaped(path)}</code>: ${what} <b>${nextWord}:</b> ${next}<br><small>${escaped(found)}</small></li>`
}

function uplinkHtml({ snapshot, words }: View): string {
  const { journal, uplink } = snapshot
  const state = String(uplink.state) as 'connected' | 'connecting' | 'waiting' | 'closed'
  const counters = journal.counters as { accepted: number; gaps: number; discarded: number }
  const rows: [string, string][] = [
    [words.uplink, mark(state === 'connected', words[state])],
    [words.depth, `${journal.depth} ${words.samples}`],
    [words.accepted, `${counters.accepted} ${words.samples}`],
    [words.gaps, `${counters.gaps} (${words.discarded}: ${counters.discarded} ${words.samples})`],
    [words.disk, megabytes(Number(journal.sizeBytes))],
  ]
  if (uplink.lastError && state !== 'connected') rows.push([words.lastError, escaped(String(uplink.lastError))])
  return `<section><dl>${rows.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join('')}</dl></section>`
}

const mark = (isOn: boolean, word: string) => `<span class="${isOn ? 'on' : 'off'}">${word}</span>`
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

function deviceHtml(device: DeviceSnapshot, view: View): string {
  const { words } = view
  const since = new Date(device.since).toLocaleString(view.language)
  const overruns = device.overruns > 0 ? ` · ${words.overruns}: ${device.overruns}` : ''
  return `<section><h2>${escaped(device.device)} ${mark(device.state === 'answers', words[device.state])}
<small>${words.since} ${since} · ${escaped(device.profile)} · ${device.protocol}${overruns}</small></h2>
${lossHtml(device, view)}
<table><tr><th>${words.tag}</th><th>${words.value}</th><th>${words.quality}</th><th>${words.age}</th><th>${words.reason}</th></tr>
${device.tags.map((tag) => tagHtml(tag, view)).join('\n')}</table></section>`
}

function lossHtml({ state, error, lossKind }: DeviceSnapshot, { language, words }: View): string {
  if (state === 'answers' || error === undefined) return ''
  const { what, next } = lossWords(lossKind ?? 'other', language)
  return `<p class="note">${what} <b>${words.next}:</b> ${next}<br><small>${escaped(error)}</small></p>`
}

function tagHtml(tag: TagSnapshot, { language, words }: View): string {
  const name = `${escaped(tag.name[language])} <small>${escaped(tag.tag)}</small>`
  const word = tag.word ? `${escaped(tag.word[language])} ` : ''
  const value = tag.value === null ? '–' : `${word}${escaped(tag.value)} ${escaped(tag.unit ?? '')}`
  const quality = mark(tag.quality === 'good', words[tag.quality])
  const cells = [`<td>${name}</td>`, `<td class="n">${value}</td>`, `<td>${quality}</td>`]
  return `<tr>${cells.join('')}<td class="n">${age(tag.ageMs)}</td><td>${escaped(tag.reason ?? '')}</td></tr>`
}

const age = (ms: number | undefined) => (ms === undefined ? '–' : `${(ms / 1000).toFixed(1)} s`)

function lanesHtml({ snapshot, words }: View): string {
  const heads = [words.lane, '', words.roundTrip, words.requests, words.timeouts, words.strayReplies]
  const rows = snapshot.lanes.map((lane) => `<tr>${laneCells(lane, words)}</tr>`)
  return `<section><h2>${words.lanes}</h2><table><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr>${rows.join('')}</table></section>`
}

function laneCells(lane: LaneStatus, words: Words): string {
  const figures = [`${lane.roundTripMs} ms`, lane.requests, lane.timeouts, lane.strayReplies]
  const state = mark(lane.isOpen, lane.isOpen ? words.open : words.down)
  return `<td>${escaped(lane.lane)}</td><td>${state}</td>${figures.map((figure) => `<td class="n">${figure}</td>`).join('')}`
}
