import type { DeviceStatus } from '#edge/acquisition/device.ts'
import { countFaults } from '#edge/acquisition/tag-faults.ts'
import { type Html, html, type Part } from '../html.ts'
import { type Ask, RequestError } from '../http.ts'
import { type Words, wordsIn } from '../page-words.ts'
import type { StatusSources } from '../snapshot.ts'
import { hexOf, type Trace, type Traces } from '../traces.ts'
import { lossWords } from '../words.ts'
import { quarantineView } from './lanes.ts'
import { secret } from './layout.ts'
import { ago, count, facts, mark, span, table, when } from './parts.ts'
import { testReadForm } from './read-tools.ts'
import { tagFileView } from './tag-file.ts'
import { actionForm } from './tools.ts'

const stateMark = ({ state }: DeviceStatus, words: Words) =>
  mark(state === 'answers' ? 'on' : state === 'lost' ? 'off' : 'warn', words[state])

/** Every device with its state and why. */
export function devicesView(sources: StatusSources, ask: Ask): Html {
  const words = wordsIn(ask.language)
  const now = sources.now()
  const rows = sources
    .devices()
    .map((status) => [
      html`<a href="/devices/${status.device}">${status.device}</a>`,
      html`${stateMark(status, words)} <small>${words.lasting} ${span(now - status.since, ask.language)}</small>`,
      html`${status.profile} <small>${status.protocol}</small>`,
      ago(status.lastReadAt, now, ask.language),
      badPart(status),
      count(status.overruns, ask.language),
      lossPart(status, ask, words),
    ])
  const heads = [
    words.device,
    words.state,
    words.profile,
    words.lastRead,
    words.badTags,
    words.scansLeftOut,
    words.reason,
  ]
  return html`<section data-live>${table(
    heads.map((head) => ({ head })),
    rows,
    words.noDevices,
  )}</section>`
}

function badPart({ faults }: DeviceStatus): Part {
  const { bad } = countFaults(faults)
  return bad === 0 ? '0' : mark('warn', String(bad))
}

function faultCount({ device, faults }: DeviceStatus, kind: 'bad' | 'notMeasured'): Part {
  const count = countFaults(faults)[kind]
  return count === 0 ? undefined : html`<a href="/tags?device=${device}&quality=bad">${count}</a>`
}

function lossPart({ state, error, lossKind }: DeviceStatus, { language }: Ask, words: Words): Part {
  if (state === 'answers' || error === undefined) return ''
  const { what, next } = lossWords(lossKind ?? 'other', language)
  return html`${what} <b>${words.next}:</b> ${next}<br><small>${error}</small>`
}

/** What tools found, shown where they stand. */
export interface ToolResults {
  readonly connection?: Html
  readonly read?: Html
  readonly sunspec?: Html
  readonly tagFile?: Html
}

/** One device: its state, what it refuses, and the tools for it. @throws RequestError for a name that is none. */
export function deviceView(sources: StatusSources, traces: Traces, ask: Ask, results: ToolResults = {}): Html {
  const words = wordsIn(ask.language)
  const status = deviceStatus(sources, ask.params.device ?? '')
  const now = sources.now()
  const tags = sources.model.devices.find(({ device }) => device === status.device)?.tags.length ?? 0
  const why = lossPart(status, ask, words)
  return html`<div data-live><section>${facts([
    [
      words.state,
      html`${stateMark(status, words)} <small>${words.lasting} ${span(now - status.since, ask.language)}</small>`,
    ],
    [words.reason, why === '' ? undefined : why],
    [words.profile, `${status.profile} · ${status.protocol}`],
    [words.tags, html`<a href="/tags?device=${status.device}">${count(tags, ask.language)}</a>`],
    [words.badTags, faultCount(status, 'bad')],
    [words.notMeasured, faultCount(status, 'notMeasured')],
    [words.lastRead, ago(status.lastReadAt, now, ask.language)],
    [words.failures, count(status.failures, ask.language)],
    [words.scansLeftOut, count(status.overruns, ask.language)],
  ])}</section></div>
<section><h2>${words.connectionTest}</h2><p class="quiet">${words.connectionHelp}</p>
${actionForm(ask, `/devices/${status.device}/connection-test`, words.run)}${results.connection}</section>
${readTools(sources, status, ask, results)}${tagFileView(ask, status.device, results.tagFile)}${traceView(sources, traces, status.device, ask)}<div data-live>${
    sources.drivers.get(status.device)?.quarantined && quarantineView(sources, ask, status.device)
  }</div>`
}

function readTools(sources: StatusSources, { device, protocol }: DeviceStatus, ask: Ask, results: ToolResults): Part {
  const words = wordsIn(ask.language)
  if (!sources.drivers.get(device)?.readNow || protocol !== 'modbus') return ''
  return html`${testReadForm(ask, device, results.read)}<section><h2>SunSpec</h2><p class="quiet">${words.sunspecHelp}</p>
${actionForm(ask, `/devices/${device}/sunspec`, words.sunspecRun)}${results.sunspec}</section>`
}

/** @throws RequestError when the edge has no such device. */
export function deviceStatus(sources: StatusSources, device: string): DeviceStatus {
  const status = sources.devices().find((one) => one.device === device)
  if (!status) throw new RequestError(404, `This edge has no device ${device}.`)
  return status
}

function traceView(sources: StatusSources, traces: Traces, device: string, ask: Ask): Html {
  const words = wordsIn(ask.language)
  const head = html`<h2>${words.trace}</h2><p class="quiet">${words.traceHelp}</p>`
  if (!sources.drivers.get(device)?.trace) return html`<section>${head}<p>${words.traceNot}</p></section>`
  const trace = traces.of(device)
  const isOn = trace?.until !== undefined
  const button = (action: string, word: string) =>
    html`<form class="row" method="post" action="/devices/${device}/trace">${secret(ask)}<input type="hidden" name="do" value="${action}"><button>${word}</button></form>`
  return html`<section id="trace">${head}${isOn ? button('stop', words.traceStop) : button('start', words.traceStart)}
<div data-live>${traceState(trace, ask, words)}</div></section>`
}

/** On the page the newest; the file has all. */
const MOST_SHOWN = 60

function traceState(trace: Trace | undefined, ask: Ask, words: Words): Html {
  if (!trace) return html`<p class="quiet">${words.traceOff}</p>`
  const rows = trace.frames
    .slice(-MOST_SHOWN)
    .toReversed()
    .map(({ at, direction, bytes, meaning }) => [
      html`<span class="t n">${new Date(at).toISOString().slice(11, 23)}</span>`,
      SIGNS[direction],
      folded(hexOf(bytes), html`<code>${hexOf(bytes)}</code>`),
      folded(meaning[ask.language], html`${meaning[ask.language]}`),
    ])
  const columns = [words.time, words.direction, words.bytes, words.meaning].map((head) => ({ head }))
  return html`<p>${trace.until === undefined ? words.traceOff : mark('plain', `${words.traceOn} ${when(trace.until, ask.language)}`)}
 · <a href="/devices/${trace.device}/trace.txt">${words.traceDownload}</a></p>${table(columns, rows, words.traceEmpty)}`
}

const SHORT = 100

/** A long reply is one line until somebody wants all of it. */
const folded = (text: string, all: Html): Html =>
  text.length <= SHORT ? all : html`<details><summary>${text.slice(0, SHORT - 30)}…</summary>${all}</details>`

const SIGNS = { sent: '→', received: '←', failed: '✕' } as const
