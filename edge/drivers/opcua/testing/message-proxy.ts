import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Binary encodings of the services that tests look for, Part 6, A.3. */
const SERVICES: Readonly<Record<number, string>> = {
  461: 'CreateSession',
  787: 'CreateSubscription',
  793: 'ModifySubscription',
  829: 'PublishResponse',
  832: 'Republish',
}
/** Offsets in a message without security: header and token, then its number, its request's and the service. */
const [HEADER, SEQUENCE, SERVICE] = [8, 16, 26]
/** Of a publish response: the sequence numbers that the server still has, and from their end the count of its notifications. */
const [AVAILABLE, COUNT] = [56, 13]

/** What a server tells by its publish responses. */
export type Told = 'notification' | 'keep-alive'

/** Stands before a server without security and loses chosen answers of it, whole, as a server or a box that is out of memory does. */
export interface MessageProxy {
  readonly url: string
  /** The services that the client asked for, of those that tests look for, in order. */
  readonly asked: readonly string[]
  /** Loses the next notification. */
  loseOne(): void
  /** Loses every notification and keep-alive until the client asks for this service. */
  loseUntil(service: string): void
  /** Resolves when so many notifications have been lost; the test's time-out is the limit. */
  lost(notifications: number): Promise<void>
  /** Resolves when the client has asked for this service. */
  hears(service: string): Promise<void>
  close(): Promise<void>
}

interface Losing {
  readonly what: readonly Told[]
  readonly until?: string
}

/** Starts on a port of its own. */
export async function startMessageProxy(target: number): Promise<MessageProxy> {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  let losing: Losing | undefined
  let lost = 0
  const { wake, waitFor } = createWaiting()
  const onAsked = (service: string) => {
    asked.push(service)
    wake()
    if (losing?.until === service) losing = undefined
    return true
  }
  const isKept = (_: string, message: Buffer) => {
    const told = toldBy(message)
    if (!losing?.what.includes(told)) return true
    if (losing.until === undefined) losing = undefined
    if (told === 'notification') lost++
    wake()
    return false
  }
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    pass(near, far, onAsked)
    pass(far, near, isKept)
    for (const socket of [near, far]) sockets.add(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    url: `opc.tcp://127.0.0.1:${port}`,
    asked,
    loseOne() {
      losing = { what: ['notification'] }
    },
    loseUntil(until) {
      losing = { what: ['notification', 'keep-alive'], until }
    },
    lost: (notifications) => waitFor(() => lost >= notifications),
    hears: (service) => waitFor(() => asked.includes(service)),
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
}

function createWaiting() {
  const waiting = new Set<() => void>()
  return {
    wake() {
      for (const look of waiting) look()
    },
    async waitFor(isSo: () => boolean) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const look = () => void (isSo() && resolve())
      waiting.add(look)
      look()
      await promise
      waiting.delete(look)
    },
  }
}

function toldBy(message: Buffer): Told {
  const available = Math.max(0, message.readInt32LE(AVAILABLE))
  const count = message.readInt32LE(AVAILABLE + 4 + available * 4 + COUNT)
  return count > 0 ? 'notification' : 'keep-alive'
}

/** Hands messages on one by one; those after a lost one are numbered anew, since a channel ends at a missing number. */
function pass(from: Socket, to: Socket, isKept: (service: string, message: Buffer) => boolean): void {
  let buffered: Buffer = Buffer.alloc(0)
  let missing = 0
  const handOn = (message: Buffer) => {
    if (message.toString('latin1', 0, 3) === 'MSG') {
      const service = SERVICES[message.readUInt16LE(SERVICE)]
      if (service !== undefined && !isKept(service, message)) return void missing++
      message.writeUInt32LE(message.readUInt32LE(SEQUENCE) - missing, SEQUENCE)
    }
    to.write(message)
  }
  from.on('error', () => undefined)
  from.on('close', () => to.destroy())
  from.on('data', (bytes: Buffer) => {
    buffered = Buffer.concat([buffered, bytes])
    while (buffered.length >= HEADER && buffered.length >= buffered.readUInt32LE(4)) {
      const message = buffered.subarray(0, buffered.readUInt32LE(4))
      buffered = buffered.subarray(message.length)
      handOn(message)
    }
  })
}
