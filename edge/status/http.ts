import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Html } from './html.ts'
import type { Language } from './words.ts'

/** What goes back to the browser. */
export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

/** What a handler is asked. */
export interface Ask {
  readonly path: string
  /** Named parts of the path. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Fields of a form; empty for GET. */
  readonly form: ReadonlyMap<string, string>
  readonly language: Language
  /** To be put into every form of the page; empty when nobody is signed in. */
  readonly csrf: string
  readonly headers: IncomingHttpHeaders
  /** Address of whoever asks. */
  readonly from: string
}

/** A request that cannot be answered as it is; the message is for the person. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const PLAIN = 'text/plain; charset=utf-8'

export const plain = (status: number, body: string): Answer => ({ status, type: PLAIN, body: `${body}\n` })

/** 64-bit numbers go as text, so that no digit is lost. */
export const json = (value: unknown): Answer => ({
  status: 200,
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part)),
})

export const page = ({ markup }: Html, status = 200): Answer => ({
  status,
  type: 'text/html; charset=utf-8',
  body: markup,
})

/** After a form: the browser loads the page anew, and going back sends nothing twice. */
export const seeOther = (location: string, headers: Answer['headers'] = {}): Answer => ({
  ...plain(303, ''),
  headers: { ...headers, location },
})

/** A file for the person to keep. */
export const download = (name: string, type: string, body: string): Answer => ({
  status: 200,
  type,
  body,
  headers: { 'content-disposition': `attachment; filename="${name.replaceAll(/[^\w.-]/g, '_')}"` },
})

/** Only a path of this page: never another site. */
export const ownPath = (text: string | null | undefined): string =>
  text && /^\/(?![/\\])[\x21-\x7e]*$/.test(text) ? text : '/'

/** Reads the form of a POST. @throws RequestError when it is too long or no form. */
export async function readForm(request: IncomingMessage, mostBytes: number): Promise<ReadonlyMap<string, string>> {
  const type = request.headers['content-type'] ?? ''
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)/i.exec(type)?.[1]
  const isForm = type.startsWith('application/x-www-form-urlencoded') || boundary !== undefined
  const body = await readBody(request, mostBytes)
  if (body.length === 0) return new Map()
  if (!isForm) throw new RequestError(415, 'Send a form: application/x-www-form-urlencoded or multipart/form-data.')
  return boundary === undefined ? new Map(new URLSearchParams(body.toString('utf8'))) : multipart(body, boundary)
}

async function readBody(request: IncomingMessage, mostBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > mostBytes) throw new RequestError(413, `More than ${Math.round(mostBytes / 1024)} KB is not taken.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Fields and files as text, by name (RFC 7578). */
function multipart(body: Buffer, boundary: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  // As latin1 every byte is one character, so that a file that is no UTF-8 is still cut at the right places.
  for (const part of body.toString('latin1').split(`--${boundary}`).slice(1, -1)) {
    const at = part.indexOf('\r\n\r\n')
    const name = /name="([^"]*)"/.exec(part.slice(0, at))?.[1]
    if (at < 0 || name === undefined) throw new RequestError(400, 'The form is broken.')
    fields.set(name, Buffer.from(part.slice(at + 4, -2), 'latin1').toString('utf8'))
  }
  return fields
}
