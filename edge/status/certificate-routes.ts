import { join } from 'node:path'
import {
  decide,
  type ListedCertificate,
  listCertificates,
  UnknownThumbprintError,
} from '#edge/drivers/opcua/trust-list.ts'
import { type Html, html } from './html.ts'
import { type Answer, type Ask, plain, seeOther } from './http.ts'
import { type Words, wordsIn } from './page-words.ts'
import { type Page, type Route, view } from './route.ts'
import type { StatusSources } from './snapshot.ts'
import { secret } from './views/layout.ts'
import { mark, table, when } from './views/parts.ts'

/** OPC UA servers' certificates: a person compares the thumbprint and decides. */
export const certificateRoutes: readonly Route[] = [
  { method: 'GET', path: '/certificates', rule: 'reader', handle: view('certificates', certificatesView) },
  { method: 'POST', path: '/certificates', rule: 'action', handle: decideOne },
]

const directoryOf = ({ data }: StatusSources) => join(data, 'opcua')

function certificatesView(sources: StatusSources, ask: Ask): Html {
  const words = wordsIn(ask.language)
  const rows = listCertificates(directoryOf(sources)).map((certificate) => row(certificate, sources, ask))
  const heads = [words.thumbprint, words.state, words.subject, words.validUntil, words.decision]
  return html`<section><p class="quiet">${words.certificatesHelp}</p>${table(
    heads.map((head) => ({ head })),
    rows,
    words.noCertificates,
  )}</section>`
}

function row({ thumbprint, state, subject, validUntil }: ListedCertificate, sources: StatusSources, ask: Ask) {
  const words = wordsIn(ask.language)
  const isOver = validUntil < sources.now()
  const date = when(validUntil, ask.language)
  return [
    html`<code>${thumbprint.replaceAll(/(.{4})(?=.)/g, '$1 ')}</code>`,
    mark(state === 'trusted' ? 'on' : state === 'pending' ? 'warn' : 'off', words[state]),
    subject,
    isOver ? mark('off', date) : date,
    html`${state !== 'trusted' && decision(ask, thumbprint, 'trusted', words)}${state !== 'rejected' && decision(ask, thumbprint, 'rejected', words)}`,
  ]
}

const decision = (ask: Ask, thumbprint: string, state: 'trusted' | 'rejected', words: Words): Html =>
  html`<form class="row" method="post" action="/certificates">${secret(ask)}<input type="hidden" name="thumbprint" value="${thumbprint}">
<input type="hidden" name="state" value="${state}"><button>${state === 'trusted' ? words.trust : words.reject}</button></form>`

function decideOne({ form }: Ask, { sources }: Page): Answer {
  const state = form.get('state')
  if (state !== 'trusted' && state !== 'rejected') return plain(400, 'state is trusted or rejected.')
  try {
    decide(directoryOf(sources), form.get('thumbprint') ?? '', state)
  } catch (error) {
    if (error instanceof UnknownThumbprintError) return plain(404, error.message)
    throw error
  }
  return seeOther('/certificates')
}
