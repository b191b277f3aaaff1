import WebSocket from 'ws'
import type { ServerMessage, StreamEvent } from '#shared/contracts/stream.ts'

const TOPICS = ['alarms', 'incidents', 'work-orders', 'retros', 'edges', 'inbox:me']
const RETRY_MS = 1000

export interface FollowOptions {
  readonly url: () => string
  readonly username: string
  readonly password: string
  readonly onEvent: (event: StreamEvent) => void
}

/**
 * Follows the cloud's event stream as one of its users does: signs in, subscribes, resumes after the last event seen.
 * Returns the function that stops following.
 */
export function follow(options: FollowOptions): () => void {
  const state = { isStopped: false, after: undefined as number | undefined, socket: undefined as WebSocket | undefined }
  let timer: NodeJS.Timeout | undefined

  const retry = () => {
    if (!state.isStopped) timer = setTimeout(run, RETRY_MS)
  }
  const receive = (message: ServerMessage) => {
    if (message.type === 'hello' && state.after === undefined) state.after = message.seq
    if (message.type === 'resync') state.after = message.seq
    if (message.type !== 'event') return
    state.after = message.seq
    options.onEvent(message)
  }
  const run = async () => {
    const cookie = await signIn(options).catch(() => undefined)
    if (cookie === undefined || state.isStopped) return retry()
    const socket = new WebSocket(`${options.url().replace('http', 'ws')}/api/stream`, { headers: { cookie } })
    state.socket = socket
    socket.on('open', () => socket.send(JSON.stringify({ type: 'subscribe', topics: TOPICS, after: state.after })))
    socket.on('message', (data) => receive(JSON.parse(String(data)) as ServerMessage))
    socket.on('error', () => undefined)
    socket.on('close', retry)
  }
  void run()
  return () => {
    state.isStopped = true
    clearTimeout(timer)
    state.socket?.close()
  }
}

async function signIn({ url, username, password }: FollowOptions): Promise<string> {
  const response = await fetch(`${url()}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  })
  if (!response.ok) throw new Error(`Sign-in answered ${response.status}`)
  return response.headers
    .getSetCookie()
    .map((c) => c.split(';')[0])
    .join('; ')
}
