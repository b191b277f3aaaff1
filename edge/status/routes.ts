import { SCRIPT, STYLE } from './assets.ts'
import { type Answer, type Ask, download, json, ownPath, page, plain, seeOther } from './http.ts'
import { metricsText } from './metrics.ts'
import { wordsIn } from './page-words.ts'
import { type Page, type Route, sheet, view } from './route.ts'
import { takeSnapshot } from './snapshot.ts'
import { findTags } from './tags.ts'
import { toolRoutes } from './tool-routes.ts'
import { traceText } from './traces.ts'
import { deviceStatus, devicesView, deviceView } from './views/devices.ts'
import { gapsView } from './views/gaps.ts'
import { lanesView } from './views/lanes.ts'
import { loginPage } from './views/layout.ts'
import { overview } from './views/overview.ts'
import { tagQuery, tagsView } from './views/tags.ts'
import { rememberLanguage } from './words.ts'

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect x="3" y="1" width="10" height="14" rx="2" fill="#555"/><circle cx="8" cy="5" r="2.5" fill="#fff"/><circle cx="8" cy="11" r="2.5" fill="#999"/></svg>`

/** Every place of the page with its rule. Nothing is served that does not stand here. */
export const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/healthz', rule: 'open', handle: () => json({ status: 'ok' }) },
  { method: 'GET', path: '/page.css', rule: 'open', handle: () => asset('text/css', STYLE) },
  { method: 'GET', path: '/page.js', rule: 'open', handle: () => asset('text/javascript', SCRIPT) },
  { method: 'GET', path: '/icon.svg', rule: 'open', handle: () => asset('image/svg+xml', ICON) },
  { method: 'GET', path: '/language', rule: 'open', handle: chooseLanguage },
  {
    method: 'GET',
    path: '/login',
    rule: 'open',
    handle: (ask) => page(loginPage(ask, ownPath(ask.query.get('next')), undefined)),
  },
  { method: 'POST', path: '/login', rule: 'open', handle: signIn },
  {
    method: 'POST',
    path: '/logout',
    rule: 'action',
    handle: (ask, { door }) => seeOther('/login', { 'set-cookie': door.signOut(ask.headers) }),
  },
  {
    method: 'GET',
    path: '/metrics',
    rule: 'reader',
    handle: (_, { sources }) => ({ status: 200, type: 'text/plain; version=0.0.4', body: metricsText(sources) }),
  },
  { method: 'GET', path: '/api/status', rule: 'reader', handle: (_, { sources }) => json(takeSnapshot(sources)) },
  {
    method: 'GET',
    path: '/api/tags',
    rule: 'reader',
    handle: (ask, { sources }) => json(findTags(sources, tagQuery(ask.query))),
  },
  { method: 'GET', path: '/api/gaps', rule: 'reader', handle: (_, { sources }) => json({ items: sources.gaps() }) },
  { method: 'GET', path: '/', rule: 'reader', handle: view('overview', overview) },
  { method: 'GET', path: '/lanes', rule: 'reader', handle: view('lanes', lanesView) },
  { method: 'GET', path: '/devices', rule: 'reader', handle: view('devices', devicesView) },
  { method: 'GET', path: '/devices/:device', rule: 'reader', handle: devicePage },
  { method: 'GET', path: '/devices/:device/trace.txt', rule: 'reader', handle: traceFile },
  { method: 'POST', path: '/devices/:device/trace', rule: 'action', handle: switchTrace },
  { method: 'GET', path: '/tags', rule: 'reader', handle: view('tags', tagsView) },
  { method: 'GET', path: '/gaps', rule: 'reader', handle: view('gaps', gapsView) },
  ...toolRoutes,
]

const asset = (type: string, body: string): Answer => ({ status: 200, type: `${type}; charset=utf-8`, body })

function chooseLanguage({ query }: Ask): Answer {
  const language = query.get('to') === 'zh-CN' ? 'zh-CN' : 'en'
  return seeOther(ownPath(query.get('back')), { 'set-cookie': rememberLanguage(language) })
}

function signIn(ask: Ask, { door }: Page): Answer {
  const next = ownPath(ask.form.get('next'))
  const cookie = door.signIn(ask.form.get('token')?.trim() ?? '', ask.from)
  if (cookie !== undefined) return seeOther(next, { 'set-cookie': cookie })
  const words = wordsIn(ask.language)
  const waitSeconds = door.waitSeconds(ask.from)
  if (waitSeconds === 0) return page(loginPage(ask, next, words.wrongToken), 401)
  return { ...page(loginPage(ask, next, words.tooMany), 429), headers: { 'retry-after': String(waitSeconds) } }
}

function devicePage(ask: Ask, { sources, traces }: Page): Answer {
  const title = deviceStatus(sources, ask.params.device ?? '').device
  return sheet(ask, sources, title, deviceView(sources, traces, ask))
}

function switchTrace({ form, params }: Ask, { sources, traces }: Page): Answer {
  const { device } = deviceStatus(sources, params.device ?? '')
  if (form.get('do') === 'stop') traces.stop()
  else if (!traces.start(device)) return plain(409, 'This protocol has no frames to show.')
  return seeOther(`/devices/${device}#trace`)
}

function traceFile({ params }: Ask, { traces }: Page): Answer {
  const trace = traces.of(params.device ?? '')
  if (!trace) return plain(404, 'This device was not traced.')
  return download(`${trace.device}-trace.txt`, 'text/plain; charset=utf-8', traceText(trace))
}

interface Match {
  readonly route: Route | undefined
  readonly params: Readonly<Record<string, string>>
  /** Methods that the path takes, when it exists. */
  readonly methods: readonly string[]
}

/** The route of a request; HEAD counts as GET. */
export function matchRoute(method: string, path: string): Match {
  const matches = ROUTES.flatMap((route) => {
    const params = paramsOf(route.path, path)
    return params ? [{ route, params }] : []
  })
  const wanted = method === 'HEAD' ? 'GET' : method
  const match = matches.find(({ route }) => route.method === wanted)
  return { route: match?.route, params: match?.params ?? {}, methods: matches.map(({ route }) => route.method) }
}

function paramsOf(pattern: string, path: string): Record<string, string> | undefined {
  const [names, parts] = [pattern.split('/'), path.split('/')]
  if (names.length !== parts.length) return undefined
  const params: Record<string, string> = {}
  for (const [i, name] of names.entries()) {
    const part = parts[i] ?? ''
    if (name.startsWith(':')) params[name.slice(1)] = decoded(part)
    else if (name !== part) return undefined
  }
  return params
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
