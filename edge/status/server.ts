import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { createDoor, type Door, type Visitor } from './door.ts'
import { type Answer, type Ask, plain, RequestError, readForm, seeOther } from './http.ts'
import type { PageCertificate } from './page-certificate.ts'
import type { Page, Route } from './route.ts'
import { matchRoute } from './routes.ts'
import type { StatusSources } from './snapshot.ts'
import { createTraces } from './traces.ts'
import { languageCookie, languageOf } from './words.ts'

/** Where the page listens. Beyond loopback it has a certificate. */
export interface PageBind {
  readonly host: string
  readonly tls?: Pick<PageCertificate, 'keyPem' | 'certPem'>
}

export interface StatusOptions {
  readonly sources: StatusSources
  /** 0 picks a free one. */
  readonly port: number
  readonly token: string
  /** 127.0.0.1 over plain HTTP unless told. */
  readonly bind?: PageBind
}

export interface StatusServer {
  readonly port: number
  /** Address of the page, without the token. */
  readonly url: string
  close(): Promise<void>
}

/** The port of the local page cannot be used; the message names the setting that moves it. */
export class PortError extends Error {
  override readonly name = 'PortError'
}

const LOOPBACK: PageBind = { host: '127.0.0.1' }

interface Serving {
  readonly door: Door
  readonly page: Page
  readonly isLocal: boolean
}

/**
 * Serves the local page: health, sign-in and its own style and script to all, everything else by token (sign in, or header
 * `Authorization: Bearer`). Throws PortError when the port cannot be used.
 */
export async function startStatusServer(options: StatusOptions): Promise<StatusServer> {
  const { bind = LOOPBACK } = options
  const { tls } = bind
  const server = tls ? createTlsServer({ key: tls.keyPem, cert: tls.certPem, minVersion: 'TLSv1.2' }) : createServer()
  await listen(server, options.port, bind.host)
  const { port } = server.address() as AddressInfo
  const cookie = `andon_edge_${port}`
  const door = createDoor({ token: options.token, cookie, isSecure: tls !== undefined, now: () => performance.now() })
  const { sources } = options
  const traces = createTraces(sources.drivers, sources.now)
  const serving = { door, page: { sources, door, traces }, isLocal: tls === undefined }
  server.on('request', (request, response) => void respond(request, response, serving))
  return {
    port,
    url: `http${tls ? 's' : ''}://${reachedAs(bind.host)}:${port}/`,
    close: () =>
      new Promise((resolve) => {
        traces.stop()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The name under which others reach it; of every interface the first that leads out. */
function reachedAs(host: string): string {
  const isEvery = host === '::' || host === '0.0.0.0'
  const outward = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')
  const name = isEvery ? (outward?.address ?? 'localhost') : host
  return isIP(name) === 6 ? `[${name}]` : name
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(portError(error, port)))
    server.listen(port, host, resolve)
  })
}

function portError(error: NodeJS.ErrnoException, port: number): Error {
  const advice = 'Set ANDON_EDGE_PORT (or status.port) to another one; 0 picks a free one.'
  if (error.code === 'EADDRINUSE')
    return new PortError(
      `Port ${port} of the local page is in use, perhaps by another edge such as the demo's. ${advice}`,
      { cause: error },
    )
  if (error.code === 'EACCES')
    return new PortError(`Port ${port} needs more rights than this user has. ${advice}`, { cause: error })
  return error
}

const POLICY = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self'"],
  ...["form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"],
].join('; ')

const ALWAYS = {
  'cache-control': 'no-store',
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  vary: 'accept-language, cookie',
}

async function respond(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const { status, type, body, headers } = await answer(request, serving).catch(failure)
  response.writeHead(status, { ...ALWAYS, ...headers, 'content-type': type })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function failure(error: unknown): Answer {
  if (error instanceof RequestError) return plain(error.status, error.message)
  return plain(500, `This page failed: ${error instanceof Error ? error.message : String(error)}`)
}

const WANTED =
  'This needs the token of the page: sign in, or send it as a bearer token.\nIt is in the file status-token of the data directory.'

async function answer(request: IncomingMessage, serving: Serving): Promise<Answer> {
  const { door, isLocal } = serving
  if (!isOwnName(request.headers.host, isLocal)) return plain(421, 'This page is for localhost')
  const url = new URL(request.url ?? '/', 'http://localhost')
  const from = request.socket.remoteAddress ?? ''
  const { route, params, methods } = matchRoute(request.method ?? 'GET', url.pathname)
  const visitor = door.visitor(request.headers, from)
  if (route?.rule !== 'open' && visitor.kind === 'nobody') return turnedAway(request, url, door.waitSeconds(from))
  if (!route) return methods.length > 0 ? notAllowed(methods) : plain(404, 'There is no such page.')
  const form = await formOf(request, route, visitor)
  return route.handle({ ...askOf(request, url, visitor), params, form }, serving.page)
}

function askOf(request: IncomingMessage, url: URL, visitor: Visitor): Omit<Ask, 'params' | 'form'> {
  const { headers, socket } = request
  return {
    ...{ headers, path: url.pathname, query: url.searchParams, from: socket.remoteAddress ?? '' },
    language: languageCookie(headers) ?? languageOf(headers['accept-language']),
    csrf: visitor.kind === 'person' ? visitor.csrf : '',
  }
}

async function formOf(request: IncomingMessage, route: Route, visitor: Visitor): Promise<Ask['form']> {
  if (route.method === 'GET') return new Map()
  const form = await readForm(request, route.mostBytes ?? 65_536)
  refuseForeign(request, route, visitor, form)
  return form
}

/** A browser is led to the door, a program is told. */
function turnedAway({ method, headers }: IncomingMessage, url: URL, waitSeconds: number): Answer {
  if (waitSeconds > 0)
    return {
      ...plain(429, `Too many wrong tokens. Try again in ${waitSeconds} s.`),
      headers: { 'retry-after': String(waitSeconds) },
    }
  const isBrowser = (method === 'GET' || method === 'HEAD') && headers.accept?.includes('text/html') === true
  if (!isBrowser || headers.authorization !== undefined)
    return { ...plain(401, WANTED), headers: { 'www-authenticate': 'Bearer' } }
  url.searchParams.delete('token')
  return seeOther(`/login?next=${encodeURIComponent(url.pathname + url.search)}`)
}

const notAllowed = (methods: readonly string[]): Answer => ({
  ...plain(405, `Only ${methods.join(', ')}`),
  headers: { allow: methods.join(', ') },
})

/** Another site could make the browser send a form; it knows neither the session's secret nor can it hide where it comes from. */
function refuseForeign(
  { headers }: IncomingMessage,
  { rule }: Route,
  visitor: Visitor,
  form: ReadonlyMap<string, string>,
): void {
  const { origin } = headers
  const isForeign = origin !== undefined && origin.replace(/^https?:\/\//, '') !== headers.host
  if (isForeign || headers['sec-fetch-site'] === 'cross-site') throw new RequestError(403, 'Sent by another site.')
  if (rule === 'action' && visitor.kind === 'person' && form.get('csrf') !== visitor.csrf)
    throw new RequestError(403, 'This form is of an earlier session. Load the page again.')
}

const LOCAL_NAME = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/

/** Another name would be a web page of somebody else that had its name point here (DNS rebinding). An address cannot be made to. */
function isOwnName(host = '', isLocal: boolean): boolean {
  if (LOCAL_NAME.test(host)) return true
  const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
  const own = hostname().toLowerCase()
  return !isLocal && (isIP(name) !== 0 || name.toLowerCase() === own || name.toLowerCase().startsWith(`${own}.`))
}
