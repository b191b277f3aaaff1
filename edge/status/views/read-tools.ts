import type { TestReading } from '#edge/acquisition/test-read.ts'
import type { Interpretation } from '#edge/drivers/modbus/interpret.ts'
import { REGISTER_TYPES, WIDE_WORD_ORDERS, WORD_ORDERS } from '#shared/contracts/device-profile.ts'
import { type Html, html, type Part } from '../html.ts'
import type { Ask } from '../http.ts'
import { type Words, wordsIn } from '../page-words.ts'
import { facts, mark, table } from './parts.ts'
import { actionForm } from './tools.ts'

interface Field {
  readonly name: string
  readonly label: string
  readonly value?: string | undefined
  readonly hint?: string
  readonly isRequired?: boolean
  readonly isNumber?: boolean
}

const input = ({ name, label, value, hint, isRequired, isNumber }: Field): Html =>
  html`<label><span>${label}</span><input name="${name}" value="${value ?? ''}" placeholder="${hint ?? ''}" autocomplete="off"${isNumber && html` inputmode="decimal" size="8"`}${isRequired && html` required`}></label>`

function choice(name: string, label: string, options: readonly string[], chosen: string | undefined): Html {
  const option = (value: string) => html`<option${value === chosen && html` selected`}>${value}</option>`
  return html`<label><span>${label}</span><select name="${name}">${options.map(option)}</select></label>`
}

/** Reads one address of a device, with what was typed before and what came of it. */
export function testReadForm(ask: Ask, device: string, result: Part): Html {
  const words = wordsIn(ask.language)
  const given = (name: string) => ask.form.get(name)
  const fields = html`${input({ name: 'address', label: words.address, value: given('address'), hint: 'holding:100', isRequired: true })}
${choice('type', words.type, REGISTER_TYPES, given('type') ?? 'uint16')}
${choice('order', words.byteOrder, [...WORD_ORDERS, ...WIDE_WORD_ORDERS], given('order') ?? 'ABCD')}
${input({ name: 'length', label: words.length, value: given('length'), hint: 'string', isNumber: true })}
${input({ name: 'scale', label: words.scale, value: given('scale'), hint: '1', isNumber: true })}
${input({ name: 'offset', label: words.offset, value: given('offset'), hint: '0', isNumber: true })}`
  return html`<section id="read"><h2>${words.testRead}</h2><p class="quiet">${words.testReadHelp}</p>
${actionForm(ask, `/devices/${device}/test-read`, words.read, fields)}${result}</section>`
}

/** What a test read found; registers lead on to the byte-order tester. */
export function readingPart({ value, raw, exponent, registers, reason }: TestReading, ask: Ask): Html {
  const words = wordsIn(ask.language)
  const hex = registers?.map((register) => register.toString(16).padStart(4, '0')).join(' ')
  const more =
    hex && html` <a href="/tools/byte-order?registers=${encodeURIComponent(hex)}">${words.byteOrderTester}</a>`
  return html`<div role="status">${facts([
    [words.value, value === null ? mark('off', words.bad) : String(value)],
    [words.reason, reason],
    [words.raw, raw === null ? undefined : `${raw}${exponent === undefined ? '' : ` × 10^${exponent}`}`],
    [words.registers, hex && html`<code>${hex}</code>${more}`],
  ])}</div>`
}

/** What a person typed is no good. */
export const faultPart = (fault: string): Html => html`<p class="s-off" role="alert">${fault}</p>`

/** What registers may mean, the most likely first. */
export function byteOrderView(
  ask: Ask,
  meanings: readonly Interpretation[] | undefined,
  fault: string | undefined,
): Html {
  const words = wordsIn(ask.language)
  const registers = ask.query.get('registers') ?? ''
  return html`<section><h2>${words.byteOrderTester}</h2><p class="quiet">${words.byteOrderHelp}</p>
<form class="row" method="get" action="/tools/byte-order">
${input({ name: 'registers', label: words.registers, value: registers, hint: words.registersHint, isRequired: true })}
${input({ name: 'shows', label: words.shows, value: ask.query.get('shows') ?? '', hint: words.showsHint })}
<button>${words.apply}</button></form>${fault !== undefined && faultPart(fault)}${meanings && meaningsTable(meanings, words)}</section>`
}

function meaningsTable(meanings: readonly Interpretation[], words: Words): Html {
  const rows = meanings
    .filter(({ plausibility }) => plausibility > 0)
    .map(({ type, wordOrder, packing, value, scale, isMostPlausible }) => [
      isMostPlausible ? html`<b>${type}</b>` : type,
      wordOrder ?? packing ?? '',
      String(value),
      scale === 1 ? '' : `× ${scale} = ${Number((Number(value) * scale).toPrecision(9))}`,
    ])
  const columns = [words.type, words.byteOrder, words.value, words.scale].map((head, i) => ({ head, isNumber: i > 1 }))
  return table(columns, rows, words.nothingMeant)
}
