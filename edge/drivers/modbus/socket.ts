import { connect as connectSocket, type Socket } from 'node:net'
import { type LossKind, NotConnectedError } from '../driver.ts'

export interface SocketOptions {
  readonly host: string
  readonly port: number
  readonly connectTimeoutMs: number
}

/** Opens a TCP connection. Throws NotConnectedError when nobody listens, when it takes too long, or when the signal aborts. */
export function openSocket({ host, port, connectTimeoutMs }: SocketOptions, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 })
    const fail = (kind: LossKind, why: string, cause?: unknown) => {
      socket.destroy()
      done()
      reject(new NotConnectedError(kind, `${host}:${port}: ${why}`, { cause }))
    }
    const onAbort = () => fail('closed', 'stopped while connecting')
    const onTimeout = () => fail('connect-timeout', `no connection within ${connectTimeoutMs} ms`)
    const timer = setTimeout(onTimeout, connectTimeoutMs)
    const onError = (error: NodeJS.ErrnoException) => {
      const [kind, why] = CONNECT_FAULTS[error.code ?? ''] ?? ['other', error.message]
      fail(kind, why, error)
    }
    const onConnect = () => {
      done()
      resolve(socket)
    }
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.off('error', onError).off('connect', onConnect)
      socket.on('error', () => undefined)
    }
    socket.once('connect', onConnect).once('error', onError)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
  })
}

const CONNECT_FAULTS: Readonly<Record<string, readonly [LossKind, string]>> = {
  ECONNREFUSED: ['refused', 'nobody listens there (connection refused)'],
  ENOTFOUND: ['unknown-host', 'this host name is not known'],
  EAI_AGAIN: ['unknown-host', 'this host name cannot be looked up'],
  EHOSTUNREACH: ['unreachable', 'no route to this address'],
  ENETUNREACH: ['unreachable', 'no route to this network'],
  ETIMEDOUT: ['connect-timeout', 'no answer'],
}
