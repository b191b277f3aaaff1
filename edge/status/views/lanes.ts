import type { LaneStatus } from '#edge/drivers/driver.ts'
import { type Html, html } from '../html.ts'
import type { Ask } from '../http.ts'
import { type Words, wordsIn } from '../page-words.ts'
import type { StatusSources } from '../snapshot.ts'
import { count, mark, table, when } from './parts.ts'

/** One row a link, then what is left alone for now. */
export function lanesView(sources: StatusSources, ask: Ask): Html {
  const words = wordsIn(ask.language)
  const rows = sources.lanes().map((lane) => row(lane, ask, words))
  const heads = [words.roundTrip, words.queue, words.requests, words.timeouts, words.overruns, words.strayReplies]
  const columns = [
    { head: words.lane },
    { head: words.state },
    ...heads.map((head) => ({ head, isNumber: true })),
    { head: words.silentUnits },
  ]
  return html`<div data-live><section>${table(columns, rows, words.noLanes)}<p class="quiet">${words.silentUnitsHelp}</p></section>
${quarantineView(sources, ask)}</div>`
}

function row(lane: LaneStatus, { language }: Ask, words: Words) {
  const { p50Ms, p95Ms } = lane.roundTrips ?? { p50Ms: lane.roundTripMs, p95Ms: undefined }
  const trip = p95Ms === undefined ? milliseconds(p50Ms) : `p50 ${milliseconds(p50Ms)} · p95 ${milliseconds(p95Ms)}`
  const silent = lane.silentUnits ?? []
  return [
    lane.lane,
    mark(lane.isOpen ? 'on' : 'off', lane.isOpen ? words.open : words.down),
    lane.requests > 0 ? trip : '–',
    lane.waiting ?? 0,
    count(lane.requests, language),
    warned(lane.timeouts, language),
    warned(lane.overruns ?? 0, language),
    count(lane.strayReplies, language),
    silent.length === 0 ? '–' : mark('warn', silent.join(', ')),
  ]
}

const milliseconds = (ms: number) => `${ms.toFixed(ms < 10 ? 1 : 0)} ms`
const warned = (n: number, language: string) => (n === 0 ? '0' : n.toLocaleString(language))

/** Devices with thousands of refused addresses have a wrong profile: the first tell enough. */
const MOST_SHOWN = 100

/** Addresses that devices refuse, of one device or of all, the next to be asked for first. */
export function quarantineView(sources: StatusSources, ask: Ask, only?: string): Html {
  const words = wordsIn(ask.language)
  const names = only === undefined ? [...sources.drivers.keys()] : [only]
  const all = names.flatMap((device) =>
    (sources.drivers.get(device)?.quarantined?.() ?? []).map((entry) => ({ device, ...entry })),
  )
  const rows = all
    .toSorted((a, b) => a.probeAt - b.probeAt)
    .slice(0, MOST_SHOWN)
    .map(({ device, address, reason, probeAt }) => [
      html`<a href="/devices/${device}">${device}</a>`,
      address,
      reason,
      when(probeAt, ask.language),
    ])
  const columns = [
    { head: words.device },
    { head: words.address },
    { head: words.reason },
    { head: words.nextProbe, isNumber: true },
  ]
  return html`<section><h2>${words.quarantine}${all.length > 0 && ` (${all.length})`}</h2>${table(columns, rows, words.quarantineNone)}
<p class="quiet">${words.quarantineHelp}</p></section>`
}
