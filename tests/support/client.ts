import { randomUUID } from 'node:crypto'
import WebSocket from 'ws'
import type { ServerMessage } from '#shared/contracts/stream.ts'

export interface Answer<T> {
  readonly status: number
  readonly body: T
  readonly etag: string | null
}

/** A person at a browser: signed in, with the event stream open. Speaks the public API alone. */
export interface Client {
  readonly url: string
  readonly cookie: string
  get<T>(path: string): Promise<T>
  post<T>(path: string, body?: unknown): Promise<Answer<T>>
  patch<T>(path: string, body: unknown, ifMatch?: string): Promise<Answer<T>>
  send<T>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<T>>
  /** Runs `check` now and after each message of the stream until it returns something; throws with `what` after `timeoutMs`. */
  until<T>(what: string, check: () => Promise<T | undefined | false>, timeoutMs?: number): Promise<T>
  /** Every message of the stream since sign-in. */
  readonly messages: readonly ServerMessage[]
  onMessage(listener: (message: ServerMessage) => void): () => void
  watchValues(paths: readonly string[]): void
  close(): void
}

const TOPICS = ['alarms', 'incidents', 'work-orders', 'retros', 'assets', 'edges', 'inbox:me']

/** Signs in and opens the stream. Throws when either is refused. */
export async function signIn(url: string, username: string, password: string): Promise<Client> {
  const response = await fetch(`${url}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  })
  if (!response.ok) throw new Error(`sign-in of ${username}: ${response.status} ${await response.text()}`)
  const cookie = response.headers
    .getSetCookie()
    .map((c) => c.split(';')[0])
    .join('; ')
  const messages: ServerMessage[] = []
  const listeners = new Set<(message: ServerMessage) => void>()
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/stream`, { headers: { cookie } })
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as ServerMessage
    messages.push(message)
    for (const listener of listeners) listener(message)
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('error', () => undefined)
  socket.send(JSON.stringify({ type: 'subscribe', topics: TOPICS }))

  const send = async <T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        cookie,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, body: (text ? JSON.parse(text) : undefined) as T, etag: answer.headers.get('etag') }
  }
  const onMessage = (listener: (message: ServerMessage) => void) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  return {
    url,
    cookie,
    messages,
    onMessage,
    send,
    get: async <T>(path: string) => {
      const { status, body } = await send<T>('GET', path)
      if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`)
      return body
    },
    post: (path, body) => send('POST', path, body ?? {}),
    patch: (path, body, ifMatch) => send('PATCH', path, body, ifMatch ? { 'if-match': ifMatch } : {}),
    watchValues: (paths) => socket.send(JSON.stringify({ type: 'values', paths })),
    until: (what, check, timeoutMs = 60_000) => until(onMessage, { what, check, timeoutMs }),
    close: () => socket.close(),
  }
}

interface Wait<T> {
  readonly what: string
  readonly check: () => Promise<T | undefined | false>
  readonly timeoutMs: number
}

/** The stream ticks every few seconds, so a check is run again even when nothing happens. */
function until<T>(onMessage: Client['onMessage'], { what, check, timeoutMs }: Wait<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let isRunning = false
    let isAskedAgain = false
    let lastError: unknown
    const stop = onMessage(() => void run())
    const timer = setTimeout(() => {
      stop()
      reject(new Error(`${what}: not seen within ${timeoutMs / 1000} s`, { cause: lastError }))
    }, timeoutMs)
    const run = async () => {
      isAskedAgain = isRunning
      if (isRunning) return
      isRunning = true
      const found = await check().catch((error: unknown) => {
        lastError = error
        return undefined
      })
      isRunning = false
      if (found !== undefined && found !== false) {
        clearTimeout(timer)
        stop()
        resolve(found)
      } else if (isAskedAgain) await run()
    }
    void run()
  })
}
