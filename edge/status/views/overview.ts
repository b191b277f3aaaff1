import { countFaults } from '#edge/acquisition/tag-faults.ts'
import { type Html, html, type Part } from '../html.ts'
import type { Ask } from '../http.ts'
import { type Words, wordsIn } from '../page-words.ts'
import type { StatusSources } from '../snapshot.ts'
import { faultOf } from '../trouble-list.ts'
import { lossWords, troubleWords } from '../words.ts'
import { ago, bytes, count, facts, mark, span, when } from './parts.ts'

interface View {
  readonly sources: StatusSources
  readonly ask: Ask
  readonly words: Words
  readonly now: number
}

/** What is wrong and what to do, then cloud, journal and box. */
export function overview(sources: StatusSources, ask: Ask): Html {
  const view: View = { sources, ask, words: wordsIn(ask.language), now: sources.now() }
  return html`<div data-live>${attention(view)}<div class="grid">${cloud(view)}${journal(view)}${box(view)}</div></div>`
}

function attention(view: View): Html {
  const { words } = view
  const items = [...clockTrouble(view), ...uplinkTrouble(view), ...deviceTroubles(view), ...addressTroubles(view)]
  if (items.length === 0) return html`<section><h2>${words.attention}</h2><p>${mark('on', words.allWell)}</p></section>`
  return html`<section class="note"><h2>${words.attention} (${items.length})</h2><ul>${items.slice(0, MOST_SHOWN)}</ul>
${items.length > MOST_SHOWN && html`<p><a href="/devices">+ ${items.length - MOST_SHOWN} · ${words.devices}</a></p>`}</section>`
}

/** A plant with hundreds of dead devices has one cause; the list of devices has them all. */
const MOST_SHOWN = 10

const item = (what: Part, next: string, detail: Part, words: Words): Html =>
  html`<li>${what} <b>${words.next}:</b> ${next}<br><small>${detail}</small></li>`

function clockTrouble({ sources, ask, words }: View): Html[] {
  const offsetMs = sources.clockOffsetMs()
  const by = html`${span(Math.abs(offsetMs), ask.language)} ${offsetMs > 0 ? words.clockBehind : words.clockAhead}`
  const [detail, next] = [words.clockCorrected, words.clockSetIt]
  if (offsetMs !== 0) return [item(html`<b>${words.clock}</b>: ${by}.`, next, detail, words)]
  if (sources.journal().isTimeBelieved) return []
  return [item(html`<b>${words.clock}</b>: ${words.clockUnset}.`, next, words.clockFromCloud, words)]
}

function uplinkTrouble({ sources, ask, words, now }: View): Html[] {
  const { state, since, lastError } = sources.uplink()
  if (state === 'connected' || (state === 'connecting' && lastError === undefined)) return []
  const what = html`<b>${words.cloud}</b>: ${words[state]}, ${words.lasting} ${span(now - since, ask.language)}.`
  return [item(what, CLOUD_NEXT[ask.language], lastError ?? '', words)]
}

const CLOUD_NEXT = {
  en: 'Nothing is lost while the journal has room. Look at network and firewall, then test the link under Tools.',
  'zh-CN': '日志有空间时不会丢失数据。请检查网络和防火墙，然后在“工具”中测试连接。',
}

function deviceTroubles({ sources, ask, words, now }: View): Html[] {
  return sources.devices().flatMap(({ device, state, since, error, lossKind, faults }) => {
    const link = html`<b><a href="/devices/${device}">${device}</a></b>`
    if (state === 'lost') {
      const { what, next } = lossWords(lossKind ?? 'other', ask.language)
      return [
        item(html`${link}: ${what}`, next, html`${words.lasting} ${span(now - since, ask.language)} · ${error}`, words),
      ]
    }
    const { bad, first } = countFaults(faults)
    if (!first) return []
    const more = html`<a href="/tags?device=${device}&quality=bad">${bad} ${words.badTags}</a>`
    return [item(html`${link}: ${more}.`, TAGS_NEXT[ask.language], `${first[0]}: ${first[1]}`, words)]
  })
}

const TAGS_NEXT = {
  en: 'Compare the addresses with the manual of the device; test one with a test read.',
  'zh-CN': '对照设备手册核对地址；可用试读逐个测试。',
}

function addressTroubles({ sources, ask, words }: View): Html[] {
  const lost = new Set(sources.devices().map(({ device }) => device))
  return sources.troubles().flatMap((trouble) => {
    if (lost.size > 0 && trouble.address.path[0] === 'devices') return []
    const { at, path, found } = faultOf(trouble)
    const { what, next } = troubleWords(trouble.kind, ask.language)
    return [item(html`${at} <code>${path}</code>: ${what}`, next, found, words)]
  })
}

function cloud({ sources, ask, words, now }: View): Html {
  const { state, since, lastAckAt, connects, sent, resent, inFlight, backlog, lastError } = sources.uplink()
  const of = (n: number | bigint) => `${count(n, ask.language)} ${words.samples}`
  return html`<section><h2>${words.cloud}</h2>${facts([
    [words.state, mark(state === 'connected' ? 'on' : 'off', words[state])],
    [words.since, when(since, ask.language)],
    [words.lastAck, ago(lastAckAt, now, ask.language)],
    [words.connects, count(connects, ask.language)],
    [words.inFlight, of(inFlight)],
    [words.backlog, of(backlog)],
    [words.sent, of(sent)],
    [words.resent, resent > 0 ? of(resent) : undefined],
    [words.lastError, lastError],
  ])}</section>`
}

function journal({ sources, ask, words, now }: View): Html {
  const { depth, sizeBytes, oldestAt, counters } = sources.journal()
  const { bytesLeft, hoursLeft } = sources.room()
  const of = (n: number) => `${count(n, ask.language)} ${words.samples}`
  const hours = hoursLeft === undefined ? words.roomUnknown : `${hoursText(hoursLeft, ask)} (${bytes(bytesLeft)})`
  return html`<section><h2>${words.journal}</h2>${facts([
    [words.depth, of(depth)],
    [words.oldest, depth > 0 ? ago(oldestAt, now, ask.language) : undefined],
    [words.disk, bytes(sizeBytes)],
    [words.room, hoursLeft !== undefined && hoursLeft < 24 ? mark('warn', hours) : hours],
    [words.accepted, of(counters.accepted)],
    [words.gapsRecorded, html`<a href="/gaps">${count(counters.gaps, ask.language)}</a>`],
    [words.thinned, counters.thinned > 0 ? mark('warn', of(counters.thinned)) : undefined],
    [words.discarded, counters.discarded > 0 ? mark('off', of(counters.discarded)) : undefined],
  ])}</section>`
}

const hoursText = (hours: number, { language }: Ask) =>
  hours > 24 * 365 ? span(365 * 86_400_000, language).replace(/^/, '> ') : span(hours * 3_600_000, language)

function box({ sources, ask, words, now }: View): Html {
  const { isTimeBelieved } = sources.journal()
  const until = sources.certificateUntil()
  const isSoon = until !== undefined && until - now < 14 * 86_400_000
  const date = when(until, ask.language)
  return html`<section><h2>${words.box}</h2>${facts([
    [
      words.clock,
      isTimeBelieved ? when(now, ask.language) : mark('warn', `${when(now, ask.language)} · ${words.clockUnset}`),
    ],
    [words.uptime, span(now - sources.startedAt, ask.language)],
    [words.configuration, configurationText(sources)],
    [words.memory, bytes(process.memoryUsage.rss())],
    [words.pageCertificate, sources.pageFingerprint && html`<code>${sources.pageFingerprint}</code>`],
    [words.certificate, until === undefined ? words.certificateNone : isSoon ? mark('warn', date) : date],
  ])}</section>`
}

/** The number that the console knows it by; a file that was written on this box has none. */
function configurationText({ configuration }: StatusSources): string | undefined {
  const running = configuration()
  if (!running) return undefined
  const hash = running.hash.slice(0, 8)
  return running.version === undefined ? `edge.yaml (${hash})` : `${running.version} (${hash})`
}
