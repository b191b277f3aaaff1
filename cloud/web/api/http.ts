import type { Problem } from '#shared/contracts/http.ts'

/** A refusal of the server, or no answer at all (status 0). `problem.code` is stable, `problem.detail` is for people. */
export class ApiError extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.detail ?? problem.title)
    this.name = 'ApiError'
    this.problem = problem
  }
}

/** What a request carries besides its address. */
export interface RequestOptions {
  readonly body?: unknown
  /** Names one intention, so that sending it again does it once. */
  readonly idempotencyKey?: string
  /** Revision that the change is based on; 412 when the record has moved on. */
  readonly ifMatch?: number
  readonly signal?: AbortSignal
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

function headersOf(options: RequestOptions): Record<string, string> {
  return {
    accept: 'application/json, application/problem+json',
    ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(options.idempotencyKey ? { 'idempotency-key': options.idempotencyKey } : {}),
    ...(options.ifMatch === undefined ? {} : { 'if-match': `"${options.ifMatch}"` }),
  }
}

async function send(method: Method, path: string, options: RequestOptions): Promise<Response> {
  try {
    return await fetch(path, {
      method,
      headers: headersOf(options),
      credentials: 'same-origin',
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: options.signal ?? null,
    })
  } catch (error) {
    if (options.signal?.aborted) throw error
    throw new ApiError({
      type: 'about:blank',
      title: 'No answer from the server',
      status: 0,
      code: 'network.unreachable',
    })
  }
}

/** Any answer that is not a problem document still becomes one, so that screens know a single kind of fault. */
export function toProblem(status: number, body: unknown): Problem {
  const given = typeof body === 'object' && body !== null ? (body as Partial<Problem>) : {}
  return {
    ...given,
    type: given.type ?? 'about:blank',
    title: given.title ?? `HTTP ${status}`,
    status,
    code: given.code ?? `http.${status}`,
  }
}

/** Sends one request and gives the decoded answer; throws ApiError on a refusal or when nothing answers. */
export async function request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(method, path, options)
  const text = await response.text()
  const body: unknown = text && response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : undefined
  if (!response.ok) throw new ApiError(toProblem(response.status, body))
  return body as T
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> =>
  request<T>('GET', path, signal ? { signal } : {})

/** Query string of the given parts; undefined and empty ones are left out, lists repeat the name. */
export function queryString(parts: Readonly<Record<string, string | number | readonly string[] | undefined>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parts)) {
    if (value === undefined || value === '') continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one))
  }
  const text = search.toString()
  return text ? `?${text}` : ''
}
