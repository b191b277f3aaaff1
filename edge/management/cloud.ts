import { type IncomingMessage, request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { rootCertificates, type TLSSocket } from 'node:tls'
import { isLoopback } from '#shared/contracts/loopback.ts'
import { endpointOf, isDateFault, type TlsTarget } from './dated-tls.ts'

/** The cloud refused, or could not be reached. `code` is of its problem details, or of the connection. */
export class CloudError extends Error {
  override readonly name = 'CloudError'
  readonly code: string
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number

  constructor(message: string, { code, status }: { readonly code: string; readonly status: number }, cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.status = status
  }
}

/** An answer of the cloud. */
export interface Reply {
  readonly status: number
  readonly text: string
}

export interface Call {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly body?: object
  /** Roots in PEM to trust besides the public ones. */
  readonly roots?: readonly string[]
  /** Takes any certificate: only for what is checked by its fingerprint afterwards. */
  readonly takesAny?: boolean
  /** Connects anew when the dates of the certificate do not fit the machine's clock. */
  readonly redial?: ((target: TlsTarget) => Promise<TLSSocket>) | undefined
}

const WITHIN_MS = 20_000
const MAX_BYTES = 16_000_000

/** Calls the cloud. @throws CloudError with what it said, or why it was not reached. */
export async function callCloud(call: Call): Promise<Reply> {
  const url = new URL(call.url)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    const words = `${url.origin} is not https: beyond this machine the code and the answer would travel in the clear`
    throw new CloudError(words, { code: 'cloud.not-https', status: 0 })
  }
  const reply = await exchange(url, call).catch((error: CloudError) => again(url, call, error))
  if (reply.status < 400) return reply
  throw refusal(url, reply)
}

function refusal(url: URL, { status, text }: Reply): CloudError {
  try {
    const { code, detail } = JSON.parse(text) as { code?: string; detail?: string }
    return new CloudError(detail ?? `The cloud answered ${status}`, { code: code ?? `http.${status}`, status })
  } catch {
    return new CloudError(`${url.origin} answered ${status}, and not as Andon does`, { code: 'cloud.other', status })
  }
}

async function again(url: URL, call: Call, error: CloudError): Promise<Reply> {
  if (!call.redial || !isDateFault(error)) throw error
  const signal = AbortSignal.timeout(WITHIN_MS)
  const socket = await call.redial({ ...endpointOf(url.href, 443), signal }).catch((cause: Error) => {
    const words = `${error.message}, and the time could not be learned: ${cause.message}`
    throw new CloudError(words, { code: error.code, status: 0 }, cause)
  })
  return exchange(url, call, socket)
}

function exchange(url: URL, { method, body, roots = [], takesAny }: Call, socket?: TLSSocket): Promise<Reply> {
  const text = body && JSON.stringify(body)
  const headers = text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {}
  const signal = AbortSignal.timeout(WITHIN_MS)
  const over = socket ? { createConnection: () => socket } : { agent: false as const }
  const options = { method, headers, signal, ...over }
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'cloud.unreachable'
      const words = signal.aborted ? `no answer within ${WITHIN_MS / 1000} s` : error.message
      reject(new CloudError(`${url.origin} was not reached: ${words}`, { code, status: 0 }, error))
    }
    const take = (answer: IncomingMessage) => void collect(answer).then(resolve, fail)
    const asked =
      url.protocol === 'https:'
        ? tlsRequest(url, { ...options, ca: [...rootCertificates, ...roots], rejectUnauthorized: !takesAny }, take)
        : plainRequest(url, options, take)
    asked.on('error', fail)
    asked.end(text)
  })
}

async function collect(answer: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BYTES) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  return { status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }
}
