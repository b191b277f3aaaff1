import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { ClientMessage } from '#shared/contracts/stream.ts'
import type { Log } from '#shared/log/log.ts'
import type { Actor } from '../door/actor.ts'
import { faultsOf } from '../door/validate.ts'
import { isOwnOrigin, type OwnOrigins } from '../http/origin.ts'
import type { Metrics } from '../metrics/registry.ts'
import type { OutboxEvent } from '../outbox/event.ts'
import { createEventFeed, type EventFeed, type EventSource } from './event-feed.ts'
import { createSlices, type Slices, type Work } from './slices.ts'
import { createValueFeeds, type ValueFeed, type ValueFeeds } from './value-feeds.ts'
import type { Outlet, ValueSource } from './values.ts'

export interface StreamOptions {
  readonly events: EventSource & { subscribe(hear: (events: readonly OutboxEvent[]) => void): () => void }
  readonly values: ValueSource
  /** Finds who asks; undefined for nobody. Asked again while connected, so that rights that were taken away end here too. */
  readonly identify: (request: IncomingMessage) => Promise<Actor | undefined>
  readonly mayHear: (actor: Actor, topic: string) => Promise<boolean>
  readonly origins: () => OwnOrigins
  /** ms since 1970 */
  readonly clock: () => number
  readonly metrics: Metrics
  readonly log: Log
}

/** `GET /api/stream`: the one WebSocket of the console. */
export interface Stream {
  /** Takes the upgrade requests of an HTTP server. */
  attach(server: Server): void
  close(): void
}

const PATH = '/api/stream'
const TICK_MS = 5_000
/** Readers take turns within that time, so that thousands of ticks do not fall together. */
const TURNS = 50
/** Ticks between two checks that the credential still holds. */
const CHECK_EVERY = 6
const MAX_MESSAGE_BYTES = 600_000
/** A reader with this much waiting is cut off; it comes back and resumes from the last number it saw. */
const TOO_SLOW_BYTES = 16_000_000

interface Reader {
  readonly request: IncomingMessage
  readonly socket: WebSocket
  readonly outlet: Outlet
  readonly actor: Actor
  readonly events: EventFeed
  readonly values: ValueFeed
  /** When among the others this one is told the time. */
  readonly turn: number
  ticks: number
  isAlive: boolean
}

/** Makes the stream. */
export function createStream(options: StreamOptions): Stream {
  const server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false })
  const readers = new Set<Reader>()
  const slices = createSlices()
  const values = createValueFeeds({ source: options.values, slices })
  const stopHearing = tellEvents(options.events, readers, slices)
  let turn = 0
  const timer = setInterval(() => {
    turn = (turn + 1) % TURNS
    for (const reader of readers) if (reader.turn === turn) tick(reader, options)
  }, TICK_MS / TURNS)
  options.metrics.collect('stream_clients', () => readers.size)

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const refusal = refuseOrigin(request, options.origins())
    if (refusal) return refuse(socket, 403, refusal)
    const actor = await options.identify(request)
    if (!actor) return refuse(socket, 401, 'Sign in first')
    server.handleUpgrade(request, socket, head, (ws) =>
      admit({ ...options, request, actor, ws, readers, feeds: values }),
    )
  }

  return {
    attach(http) {
      http.on('upgrade', (request, socket, head) => {
        socket.on('error', () => socket.destroy())
        if (request.url?.split('?')[0] !== PATH) return refuse(socket, 404, 'There is no such stream')
        upgrade(request, socket, head).catch((err) => {
          options.log.warn({ err }, 'A stream could not be opened')
          refuse(socket, 503, 'Try again')
        })
      })
    },
    close() {
      clearInterval(timer)
      stopHearing()
      slices.close()
      values.close()
      for (const { socket } of readers) socket.terminate()
      server.close()
    },
  }
}

/** Tells every reader what happened, in slices. What happens meanwhile is told in one go to each. */
function tellEvents(events: StreamOptions['events'], readers: ReadonlySet<Reader>, slices: Slices): () => void {
  let heard: OutboxEvent[] = []
  let isTelling = false
  function* tell(): Work {
    while (heard.length > 0) {
      const batch = heard
      heard = []
      for (const reader of readers) {
        reader.events.hear(batch)
        yield
      }
    }
    isTelling = false
  }
  return events.subscribe((more) => {
    heard.push(...more)
    if (isTelling) return
    isTelling = true
    slices.add('urgent', tell())
  })
}

/** A page of another site may open a WebSocket with the person's cookie, so its origin is always looked at. */
function refuseOrigin({ headers }: IncomingMessage, own: OwnOrigins): string | undefined {
  if (headers.authorization || headers.origin === undefined) return undefined
  return isOwnOrigin(headers.origin, own) ? undefined : `Streams from ${headers.origin} are not accepted`
}

function refuse(socket: Duplex, status: number, detail: string): void {
  const body = JSON.stringify({
    type: 'about:blank',
    title: STATUS_CODES[status],
    status,
    code: 'stream.refused',
    detail,
  })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

interface Admission extends StreamOptions {
  readonly request: IncomingMessage
  readonly actor: Actor
  readonly ws: WebSocket
  readonly readers: Set<Reader>
  readonly feeds: ValueFeeds
}

function admit({ request, actor, ws, readers, events, feeds, ...options }: Admission): void {
  const outlet: Outlet = {
    send: (message) => send(ws, JSON.stringify(message)),
    sendText: (text) => send(ws, text),
    waitingBytes: () => ws.bufferedAmount,
  }
  const reader: Reader = {
    request,
    socket: ws,
    outlet,
    actor,
    events: createEventFeed({ org: actor.org, personId: actor.id, source: events, outlet }),
    values: feeds.open(actor.org, outlet),
    turn: readers.size % TURNS,
    ticks: readers.size % CHECK_EVERY,
    isAlive: true,
  }
  readers.add(reader)
  ws.on('pong', () => {
    reader.isAlive = true
  })
  ws.on('error', (err) => options.log.debug({ err }, 'A stream broke'))
  ws.on('close', () => {
    readers.delete(reader)
    reader.values.close()
  })
  ws.on('message', (data) => {
    obey(reader, String(data), options.mayHear).catch((err) => {
      options.log.warn({ err }, 'A stream could not be read back; it is cut off and comes back')
      ws.close(1011)
    })
  })
  outlet.send({ type: 'hello', seq: events.head(), now: now(options) })
}

const now = ({ clock }: Pick<StreamOptions, 'clock'>) => new Date(clock()).toISOString()

function send(ws: WebSocket, text: string): void {
  if (ws.readyState !== ws.OPEN) return
  if (ws.bufferedAmount > TOO_SLOW_BYTES) ws.terminate()
  else ws.send(text)
}

async function obey(reader: Reader, text: string, mayHear: StreamOptions['mayHear']): Promise<void> {
  const message = parsed(text)
  if (!message) return reader.outlet.send({ type: 'refused', topic: '', code: 'message.invalid' })
  if (message.type === 'values') return reader.values.watch(message.paths)
  if (message.type === 'unsubscribe') return reader.events.unsubscribe(message.topics)
  const allowed: string[] = []
  for (const topic of message.topics) {
    if (await mayHear(reader.actor, topic)) allowed.push(topic)
    else reader.outlet.send({ type: 'refused', topic, code: 'topic.forbidden' })
  }
  await reader.events.subscribe(allowed, message.after)
}

function parsed(text: string): ClientMessage | undefined {
  try {
    const message: unknown = JSON.parse(text)
    return faultsOf(ClientMessage, message).length === 0 ? (message as ClientMessage) : undefined
  } catch {
    return undefined
  }
}

function tick(reader: Reader, options: StreamOptions): void {
  reader.ticks += 1
  reader.outlet.send({ type: 'tick', seq: options.events.head(), now: now(options) })
  if (reader.ticks % CHECK_EVERY !== 0) return
  if (!reader.isAlive) {
    reader.socket.terminate()
    return
  }
  reader.isAlive = false
  reader.socket.ping()
  options.identify(reader.request).then(
    (actor) => actor ?? reader.socket.close(4401, 'signed out'),
    (err) => options.log.debug({ err }, 'A credential could not be checked again'),
  )
}
