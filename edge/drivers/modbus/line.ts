import { type LossKind, NotConnectedError } from '../driver.ts'
import { type Connection, NoReplyError, type OnStray } from './connection.ts'
import { encodeRtu, findReply } from './rtu.ts'

/** A line that carries bytes both ways, one request at a time. */
export interface Line {
  /** For messages: `10.0.0.5:502`, `/dev/ttyUSB0`. */
  readonly name: string
  write(bytes: Buffer): void
  /** Frees the line. */
  close(): void
}

export interface LineHandlers {
  readonly line: Line
  readonly onStray: OnStray
  /** A request got no reply: whatever comes now may be its late one. */
  readonly onTimeout: () => void
}

interface Waiting {
  readonly unit: number
  readonly pdu: Buffer
  readonly resolve: (pdu: Buffer) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

const NOTHING: Buffer = Buffer.alloc(0)

/** RTU frames over a line. */
export interface RtuLine extends Connection {
  /** Bytes that came over the line. */
  receive(chunk: Buffer): void
  /** Forgets what came and belongs to no reply. */
  forget(): void
}

/** Speaks RTU over a line. A reply is known by unit, function, length and CRC; all else is passed over. */
export function rtuOver({ line, onStray, onTimeout }: LineHandlers): RtuLine {
  let waiting: Waiting | undefined
  let bytes = NOTHING
  let strayReplies = 0
  let closed: (() => NotConnectedError) | undefined
  const stray = (units: readonly number[]): void => {
    strayReplies += units.length
    for (const unit of units) onStray(unit)
  }
  const take = () => {
    const one = waiting
    waiting = undefined
    clearTimeout(one?.timer)
    return one
  }
  const answer = (reply: Buffer) => {
    // Nobody waits for what came behind it.
    if (bytes.length > 0) stray([bytes[0] ?? 0])
    bytes = NOTHING
    take()?.resolve(reply)
  }
  const giveUp = (one: Waiting, timeoutMs: number) => {
    if (waiting !== one) return
    take()
    one.reject(new NoReplyError(`${line.name}: unit ${one.unit} did not answer within ${timeoutMs} ms`))
    onTimeout()
  }
  return {
    request(unit, pdu, timeoutMs) {
      if (closed !== undefined) return Promise.reject(closed())
      if (waiting) return Promise.reject(new Error(`${line.name}: an RTU line carries one request at a time`))
      const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
      // After a stall of this process timers run before the line is read: a reply that lies there came in time.
      const onTime = () => setImmediate(giveUp, one, timeoutMs)
      const one: Waiting = { unit, pdu, resolve, reject, timer: setTimeout(onTime, timeoutMs) }
      waiting = one
      line.write(encodeRtu(unit, pdu))
      return promise
    },
    receive(chunk) {
      if (!waiting) return stray([chunk[0] ?? 0])
      const { reply, strays, rest } = findReply(Buffer.concat([bytes, chunk]), waiting)
      stray(strays)
      bytes = Buffer.from(rest)
      if (reply) answer(reply)
    },
    forget: () => {
      bytes = NOTHING
    },
    get isOpen() {
      return closed === undefined
    },
    get strayReplies() {
      return strayReplies
    },
    close(kind: LossKind, why: string) {
      if (closed !== undefined) return
      closed = () => new NotConnectedError(kind, `${line.name}: ${why}`)
      line.close()
      take()?.reject(closed())
    },
  }
}
