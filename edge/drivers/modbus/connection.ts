import type { Socket } from 'node:net'
import { type LossKind, NotConnectedError } from '../driver.ts'
import { encodeFrame, type Frame, frameReader } from './frame.ts'
import { unitGoneWords } from './pdu.ts'
import { openSocket, type SocketOptions } from './socket.ts'

/** The unit did not answer in time. The connection itself may be well: other units behind it go on. */
export class NoReplyError extends Error {
  override readonly name = 'NoReplyError'
}

/** An open link that speaks Modbus, whatever carries it. What answers no request is dropped and counted. */
export interface Connection {
  /** Sends a request and resolves with the reply's PDU. Throws NoReplyError after `timeoutMs`, NotConnectedError when the link breaks. */
  request(unit: number, pdu: Buffer, timeoutMs: number): Promise<Buffer>
  readonly isOpen: boolean
  /** Replies that came too late or were never asked for. */
  readonly strayReplies: number
  /** Closes the link; whatever waits fails with NotConnectedError telling `why`. Safe to call twice. */
  close(kind: LossKind, why: string): void
}

interface Waiting {
  readonly unit: number
  readonly resolve: (pdu: Buffer) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

/** Opens a Modbus TCP connection. A reply is matched by transaction and unit. Throws NotConnectedError when nobody listens, when it takes too long, or when the signal aborts. */
export async function openConnection(
  options: SocketOptions,
  signal: AbortSignal,
  onStray: OnStray = () => undefined,
): Promise<Connection> {
  const socket = await openSocket(options, signal)
  return connectionOver(socket, { name: `${options.host}:${options.port}`, onStray })
}

/** Told of a unit's reply that nobody waits for any more. */
export type OnStray = (unit: number) => void

function connectionOver(socket: Socket, { name, onStray }: { name: string; onStray: OnStray }): Connection {
  const waiting = new Map<number, Waiting>()
  const read = frameReader()
  let transaction = 0
  let strayReplies = 0
  let closed: (() => NotConnectedError) | undefined

  const close = (kind: LossKind, why: string) => {
    if (closed !== undefined) return
    closed = () => new NotConnectedError(kind, `${name}: ${why}`)
    socket.destroy()
    for (const one of takeAll(waiting)) one.reject(closed())
  }
  const onFrame = (frame: Frame) => {
    const one = waiting.get(frame.transaction)
    if (!one || one.unit !== frame.unit) {
      strayReplies++
      // A gateway that gives a unit up late tells of no life in it.
      if (unitGoneWords(frame.pdu) === undefined) onStray(frame.unit)
      return
    }
    waiting.delete(frame.transaction)
    clearTimeout(one.timer)
    one.resolve(frame.pdu)
  }
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const frame of read(chunk)) onFrame(frame)
    } catch (error) {
      close('not-the-protocol', `it does not speak Modbus TCP: ${(error as Error).message}`)
    }
  })
  // A reset emits 'error' and 'close', an orderly end only 'close': 'close' is the one that always comes.
  socket.on('close', () => close('closed', 'the device closed the connection'))
  socket.on('end', () => close('closed', 'the device closed the connection'))

  return {
    request(unit, pdu, timeoutMs) {
      if (closed !== undefined) return Promise.reject(closed())
      transaction = (transaction + 1) & 0xffff
      const id = transaction
      const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
      const giveUp = () => {
        if (waiting.delete(id)) reject(new NoReplyError(`${name}: unit ${unit} did not answer within ${timeoutMs} ms`))
      }
      // After a stall of this process timers run before sockets are read: a reply that lies there came in time.
      const onTimeout = () => setImmediate(giveUp)
      waiting.set(id, { unit, resolve, reject, timer: setTimeout(onTimeout, timeoutMs) })
      socket.write(encodeFrame({ transaction: id, unit, pdu }))
      return promise
    },
    get isOpen() {
      return closed === undefined
    },
    get strayReplies() {
      return strayReplies
    },
    close,
  }
}

function takeAll(waiting: Map<number, Waiting>): Waiting[] {
  const all = [...waiting.values()]
  waiting.clear()
  for (const one of all) clearTimeout(one.timer)
  return all
}
