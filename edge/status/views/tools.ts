import type { TestStep } from '../connection-test.ts'
import { type Html, html, type Part } from '../html.ts'
import type { Ask } from '../http.ts'
import { type Words, wordsIn } from '../page-words.ts'
import type { StatusSources } from '../snapshot.ts'
import { secret } from './layout.ts'
import { mark, table, when } from './parts.ts'

/** A form that does one thing. */
export const actionForm = (ask: Ask, action: string, word: string, fields: Part = ''): Html =>
  html`<form class="row" method="post" action="${action}">${secret(ask)}${fields}<button>${word}</button></form>`

/** What came of a connection test, step by step. */
export function testSteps(steps: readonly TestStep[], ask: Ask): Html {
  const words = wordsIn(ask.language)
  const names = { name: words.stepName, port: words.stepPort, protocol: words.stepProtocol }
  const rows = steps.map(({ step, state, found, next }) => [
    names[step],
    stateMark(state, words),
    html`${found}${next !== undefined && html` <b>${words.next}:</b> ${next}`}`,
  ])
  return html`<div role="status">${table(
    [words.step, words.state, words.result].map((head) => ({ head })),
    rows,
    '',
  )}</div>`
}

function stateMark(state: TestStep['state'], words: Words): Html {
  if (state === 'ok') return mark('on', words.ok)
  return state === 'failed' ? mark('off', words.failed) : mark('plain', words.notTried)
}

/** The link to the cloud, tested, and the commands that came over it. */
export function toolsView(sources: StatusSources, ask: Ask, result: Part = ''): Html {
  const words = wordsIn(ask.language)
  return html`<section><h2>${words.brokerTest}</h2><p class="quiet">${words.connectionHelp}</p>
${actionForm(ask, '/tools/broker-test', words.run)}${result}</section>
<section><h2>${words.more}</h2><p class="pages"><a class="button" href="/tools/byte-order">${words.byteOrderTester}</a><a class="button" href="/certificates">${words.opcuaCertificates}</a></p>
<p class="quiet">${words.testRead}, ${words.trace}: <a href="/devices">${words.devices}</a></p></section>${writesView(sources, ask)}`
}

const NEWEST = 50

function writesView(sources: StatusSources, { language }: Ask): Html {
  const words = wordsIn(language)
  const rows = sources
    .writes(NEWEST)
    .map(({ device, askedAt, writes, outcome }) => [
      when(askedAt, language),
      html`<a href="/devices/${device}">${device}</a>`,
      writes
        .map(({ tag, value, before }) => `${tag} = ${value}${before === undefined ? '' : ` (${before})`}`)
        .join(', '),
      outcome === undefined
        ? mark('plain', words.underWay)
        : html`${mark(outcome.status === 'done' ? 'plain' : 'off', words[outcome.status])} <small>${outcome.error}</small>`,
    ])
  const columns = [words.asked, words.device, words.value, words.outcome].map((head) => ({ head }))
  return html`<section data-live><h2>${words.writes}</h2>${table(columns, rows, words.noWrites)}</section>`
}
