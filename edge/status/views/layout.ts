import { type Html, html, type Part } from '../html.ts'
import type { Ask } from '../http.ts'
import { type Words, wordsIn } from '../page-words.ts'

/** The places of the page, in the order of its menu. */
const PLACES = [
  ['/', 'overview'],
  ['/lanes', 'lanes'],
  ['/devices', 'devices'],
  ['/tags', 'tags'],
  ['/gaps', 'gaps'],
  ['/tools', 'tools'],
] as const satisfies readonly (readonly [string, keyof Words])[]

export interface Sheet {
  readonly title: string
  readonly name: string
  readonly body: Part
}

/** A whole page with head and menu. */
export function layout(ask: Ask, { title, name, body }: Sheet): Html {
  const words = wordsIn(ask.language)
  return frame(
    ask,
    `${title} · ${name}`,
    html`<p id="silent" role="status" hidden>${words.noAnswer} <time></time></p>
<header><div class="top"><strong>${words.title}</strong><span class="who">${name}</span>${languageLink(ask, words)}
${ask.csrf !== '' && html`<form method="post" action="/logout">${secret(ask)}<button class="plain">${words.signOut}</button></form>`}</div>
<nav aria-label="${words.menu}"><ul>${PLACES.map(([path, word]) => place(ask, path, words[word]))}</ul></nav></header>
<main id="main"><h1>${title}</h1>${body}</main>`,
  )
}

/** The door: nothing but a field for the token. */
export function loginPage(ask: Ask, next: string, fault: string | undefined): Html {
  const words = wordsIn(ask.language)
  return frame(
    ask,
    `${words.signIn} · ${words.title}`,
    html`<main id="main" class="door"><h1>${words.title}</h1><section><h2>${words.signIn}</h2>
<form method="post" action="/login"><input type="hidden" name="next" value="${next}">
<label for="token"><span>${words.token}</span><input id="token" name="token" type="password" autocomplete="current-password" required aria-describedby="where"></label>
${fault !== undefined && html`<p class="s-off" role="alert">${fault}</p>`}<button>${words.signIn}</button>
<p id="where" class="quiet">${words.tokenWhere}</p></form></section>${languageLink(ask, words)}</main>`,
  )
}

function frame({ language }: Ask, title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><link rel="stylesheet" href="/page.css"><link rel="icon" href="/icon.svg"><script src="/page.js" defer></script></head>
<body><a class="skip" href="#main">${wordsIn(language).skip}</a>${body}</body></html>
`
}

const languageLink = ({ language, path, query }: Ask, words: Words): Html => {
  const [to, name] = language === 'en' ? ['zh-CN', 'zh-CN'] : ['en', 'en']
  const back = encodeURIComponent(query.size > 0 ? `${path}?${query}` : path)
  return html`<a class="plain" lang="${name}" href="/language?to=${to}&back=${back}">${words.language}</a>`
}

const place = ({ path }: Ask, to: string, word: string): Html => {
  const isHere = to === '/' ? path === '/' : path.startsWith(to)
  return html`<li><a href="${to}"${isHere && html` aria-current="page"`}>${word}</a></li>`
}

/** The session's secret, which every form carries. */
export const secret = ({ csrf }: Ask): Html => html`<input type="hidden" name="csrf" value="${csrf}">`
