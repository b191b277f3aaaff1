import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import {
  AbortError,
  HttpError,
  InfluxDB,
  RequestTimedOutError,
  type SendOptions,
  setLogger,
  type Transport,
} from '@influxdata/influxdb-client'
import { HistoryTimeoutError } from '../historian.ts'

export interface ConnectionOptions {
  /** With user and password in it for basic authentication. */
  readonly url: string
  readonly token?: string | undefined
  /** A question is given up after this time. */
  readonly queryLimitMs: number
}

/** Lines as text, or compressed. */
export type Piece = string | Buffer

/** The one way to the server: the library's transport with the library's write API on top. */
export interface Connection {
  /** Address without credentials, for messages. */
  readonly address: string
  /**
   * Sends pieces of line protocol, two at a time, and resolves when the server has confirmed every one of them. A piece
   * is text, or what `onPacked` was given for one.
   * @throws whatever the server or the way to it said first; then the outcome of the others is unknown.
   */
  write(path: string, pieces: Iterable<Piece>, onPacked?: (packed: Buffer) => void): Promise<void>
  /** Asks with a form. @throws HistoryTimeoutError, HttpError, or Error when there is no answer. */
  ask(path: string, form?: Readonly<Record<string, string>>): Promise<Buffer>
  /** Status, headers and text of a GET; an answer of any status resolves. */
  look(path: string): Promise<{ readonly status: number; readonly version: string; readonly text: string }>
  close(): void
}

const WRITE_LIMIT_MS = 30_000
const WRITES_AT_ONCE = 2
/** Level 6, the library's, costs three times the CPU of level 1 for a sixth fewer bytes. */
const GZIP_LEVEL = 1
/** A piece comes out in one or two steps instead of dozens. */
const GZIP_CHUNK_BYTES = 256 * 1024
const compress = promisify(gzip)

/** Makes the client; nothing is sent yet. */
export function connectionTo({ url, token, queryLimitMs }: ConnectionOptions): Connection {
  const { address, headers } = addressOf(url)
  // The library would write to the console; whoever calls reports a failure, once.
  setLogger({ error: () => undefined, warn: () => undefined })
  const agent = new (address.startsWith('https') ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: 8 })
  const shared = { url: address, ...(token ? { token } : {}), headers, timeout: WRITE_LIMIT_MS }
  const plain = new InfluxDB({ ...shared, transportOptions: { agent } }).transport
  const bodies: Bodies = new Map()
  const client = new InfluxDB({ url: address, transport: compressing(plain, bodies) })
  return {
    address,
    write: (path, pieces, onPacked = () => undefined) =>
      writeAll((piece) => writePiece({ client, bodies, path, onPacked }, piece), pieces),
    ask: (path, form) => ask(plain, path, { form, limitMs: queryLimitMs }),
    look: (path) => look(address + path, { ...headers, ...(token ? { authorization: `Token ${token}` } : {}) }),
    close: () => agent.destroy(),
  }
}

function addressOf(url: string): { address: string; headers: Record<string, string> } {
  const parsed = new URL(url)
  const { username, password } = parsed
  parsed.username = ''
  parsed.password = ''
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  const basic = `Basic ${Buffer.from(credentials).toString('base64')}`
  return { address: parsed.href.replace(/\/$/, ''), headers: username ? { authorization: basic } : {} }
}

/** Pieces under way by their names, and who hears of their compressed form. */
type Bodies = Map<string, { readonly piece: Piece; readonly onPacked: (packed: Buffer) => void }>

async function packed(body: ReturnType<Bodies['get']>): Promise<Buffer> {
  if (!body) throw new Error('A write without a piece')
  const { piece, onPacked } = body
  if (typeof piece !== 'string') return piece
  const bytes = await compress(piece, { level: GZIP_LEVEL, chunkSize: GZIP_CHUNK_BYTES })
  onPacked(bytes)
  return bytes
}

/** Compresses quickly, gives up after a time, and takes nothing but 204 for a success: 201 means that a part was dropped. */
function compressing(plain: Transport, bodies: Bodies): Transport {
  return {
    chunkCombiner: plain.chunkCombiner,
    request: (path, body, options, started) => plain.request(path, body, options, started),
    iterate: (path, body, options) => plain.iterate(path, body, options),
    send(path, body, options, callbacks = {}) {
      const fail = (error: Error) => callbacks.error?.(error)
      const signal = AbortSignal.timeout(WRITE_LIMIT_MS)
      packed(bodies.get(body)).then((bytes) => {
        const headers = { ...options.headers, 'content-encoding': 'gzip' }
        const sending: SendOptions = { method: options.method, headers, signal }
        let isWhole = true
        // The transport copies the bytes of a Buffer as they are; its type says string.
        plain.send(path, bytes as unknown as string, sending, {
          ...callbacks,
          responseStarted(received, status) {
            isWhole = status === 204 || (status ?? 0) >= 300
            callbacks.responseStarted?.(received, status)
          },
          complete: () =>
            isWhole ? callbacks.complete?.() : fail(new Error('The server took only a part of a write')),
        })
      }, fail)
    },
  }
}

interface PieceWriting {
  readonly client: InfluxDB
  readonly bodies: Bodies
  readonly path: string
  readonly onPacked: (packed: Buffer) => void
}

let pieces = 0

/**
 * Resolves when the library tells the success of the piece, rejects when it tells the failure; there is no other end.
 * The library is given a name for the piece, which the transport knows: counting the bytes of what it is given, as it
 * does, costs three times as much as making and compressing the lines.
 */
function writePiece({ client, bodies, path, onPacked }: PieceWriting, piece: Piece): Promise<void> {
  const name = `piece ${++pieces}`
  bodies.set(name, { piece, onPacked })
  const written = new Promise<void>((resolve, reject) => {
    const api = client.getWriteApi('', '', 'ms', {
      ...{ batchSize: 1, flushInterval: 0, maxRetries: 0, maxBatchBytes: Number.MAX_SAFE_INTEGER },
      writeSuccess: () => resolve(),
      writeFailed(error) {
        reject(error)
        // A promise of our own keeps the library from retrying, and from taking a known failure for a success.
        return Promise.reject(error)
      },
    })
    api.path = path
    api.writeRecord(name)
  })
  return written.finally(() => bodies.delete(name))
}

async function writeAll(write: (piece: Piece) => Promise<void>, pieces: Iterable<Piece>): Promise<void> {
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  for (const piece of pieces) {
    const one: Promise<void> = writeAgain(write, piece)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => underWay.delete(one))
    underWay.add(one)
    if (underWay.size >= WRITES_AT_ONCE) await Promise.race(underWay)
    if (failures.length > 0) break
  }
  await Promise.all(underWay)
  if (failures.length > 0) throw failures[0]
}

/** A server may close an idle connection at the very moment it is used again; the same points again change nothing. */
async function writeAgain(write: (piece: Piece) => Promise<void>, piece: Piece): Promise<void> {
  try {
    await write(piece)
  } catch (error) {
    if (!['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    await write(piece)
  }
}

interface Question {
  readonly form: Readonly<Record<string, string>> | undefined
  readonly limitMs: number
}

async function ask(plain: Transport, path: string, { form, limitMs }: Question): Promise<Buffer> {
  const signal = AbortSignal.timeout(limitMs)
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'accept-encoding': 'gzip' }
  const parts: Uint8Array[] = []
  try {
    const body = new URLSearchParams(form).toString()
    for await (const part of plain.iterate(path, body, { method: 'POST', headers, signal })) parts.push(part)
  } catch (error) {
    const isLate = signal.aborted || error instanceof AbortError || error instanceof RequestTimedOutError
    if (!isLate) throw plainError(error as Error)
    throw new HistoryTimeoutError(`The query was stopped after ${limitMs} ms; ask for a shorter time or fewer tags`)
  }
  return Buffer.concat(parts)
}

/** What a server says about a failure stands in the body; the library's message is the status alone. */
function plainError(error: Error): Error {
  if (!(error instanceof HttpError) || !error.body) return error
  return new Error(`The server answered ${error.statusCode}: ${error.body.slice(0, 300)}`, { cause: error })
}

const LOOK_LIMIT_MS = 10_000

async function look(url: string, headers: Record<string, string>) {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(LOOK_LIMIT_MS) })
  const version = answer.headers.get('x-influxdb-version') ?? ''
  return { status: answer.status, version, text: await answer.text() }
}
