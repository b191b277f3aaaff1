import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { metricsText } from './metrics.ts'
import { pageHtml } from './page.ts'
import { type StatusSources, takeSnapshot } from './snapshot.ts'
import { isToken } from './token.ts'
import { languageOf } from './words.ts'

export interface StatusOptions {
  readonly sources: StatusSources
  /** 0 picks a free one. */
  readonly port: number
  readonly token: string
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

const BIND = '127.0.0.1'

/**
 * Serves /healthz (open to all), /metrics, /api/status and the page (with the token: header `Authorization: Bearer`, or
 * `?token=` once, kept in a cookie). Throws PortError when the port cannot be used.
 */
export async function startStatusServer(options: StatusOptions): Promise<StatusServer> {
  const server = createServer((request, response) => respond(request, response, options))
  await listen(server, options.port)
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://${BIND}:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(portError(error, port)))
    server.listen(port, BIND, resolve)
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

const COOKIE = 'andon_edge_token'
const WANTED =
  'This page needs its token: open it with ?token=… or send it as a bearer token.\nThe token is in the file status-token of the data directory.\n'

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

const PLAIN = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'
const ALWAYS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  vary: 'accept-language',
}

function respond(request: IncomingMessage, response: ServerResponse, options: StatusOptions): void {
  const { status, type, body, headers } = answer(request, options)
  response.writeHead(status, { ...ALWAYS, ...headers, 'content-type': type })
  response.end(body)
}

function answer(request: IncomingMessage, options: StatusOptions): Answer {
  const url = new URL(request.url ?? '/', 'http://localhost')
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, type: PLAIN, body: 'Only GET\n' }
  if (!isLocalName(request.headers.host)) return { status: 421, type: PLAIN, body: 'This page is for localhost\n' }
  if (url.pathname === '/healthz') return { status: 200, type: JSON_TYPE, body: '{"status":"ok"}\n' }
  if (!isAllowed(request, url, options.token)) return { status: 401, type: PLAIN, body: WANTED }
  if (url.searchParams.has('token')) return keepInCookie(url, options)
  return route(request, url.pathname, options.sources)
}

/** Another name would be a web page of somebody else that had its name point here (DNS rebinding). */
const isLocalName = (host = '') => /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host)

function isAllowed({ headers }: IncomingMessage, url: URL, token: string): boolean {
  const cookie = headers.cookie?.split(/;\s*/).find((part) => part.startsWith(`${COOKIE}=`))
  const bearer = headers.authorization?.startsWith('Bearer ') ? headers.authorization.slice(7) : undefined
  const given = bearer ?? url.searchParams.get('token') ?? cookie?.slice(COOKIE.length + 1)
  return given !== undefined && isToken(given, token)
}

/** The token leaves the address bar at once, so that it is in no history and no screenshot. */
function keepInCookie(url: URL, { token }: StatusOptions): Answer {
  const cookie = `${COOKIE}=${token}; HttpOnly; SameSite=Strict; Path=/`
  return { status: 303, type: PLAIN, body: '', headers: { 'set-cookie': cookie, location: url.pathname } }
}

function route(request: IncomingMessage, path: string, sources: StatusSources): Answer {
  switch (path) {
    case '/metrics':
      return { status: 200, type: 'text/plain; version=0.0.4', body: metricsText(sources) }
    case '/api/status':
      return { status: 200, type: JSON_TYPE, body: JSON.stringify(takeSnapshot(sources)) }
    case '/': {
      const language = languageOf(request.headers['accept-language'])
      return { status: 200, type: 'text/html; charset=utf-8', body: pageHtml(takeSnapshot(sources), language) }
    }
    default:
      return { status: 404, type: PLAIN, body: 'There is /, /api/status, /metrics and /healthz\n' }
  }
}
