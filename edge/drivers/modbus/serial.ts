import { setTimeout as wait } from 'node:timers/promises'
import { NotConnectedError } from '../driver.ts'
import type { Connection, OnStray } from './connection.ts'
import { type RtuLine, rtuOver } from './line.ts'

export interface SerialOptions {
  readonly path: string
  readonly baud: number
  readonly parity: 'none' | 'even' | 'odd'
  readonly dataBits: 7 | 8
  readonly stopBits: 1 | 2
}

/** Least time that the line is to be quiet after a time-out, in ms. */
const LEAST_GUARD_MS = 50
/** A line that is never quiet is not a Modbus line. */
const MOST_GUARD_MS = 5000
/** What is left of the slowest reply after each reply. */
const FORGETTING = 0.995
/** Reads of one block after a time-out, until two agree. */
const MOST_READS = 4
const BITS_A_BYTE = 11
const TURN_EVERY_MS = 2

/** The serial port as modbus-serial carries it; its own framing is passed by, because it takes frames whose CRC is wrong. */
interface Carrier {
  readonly isOpen: boolean
  open(done: (error?: Error | null) => void): void
  close(done: () => void): void
  on(event: 'close' | 'error', listener: () => void): void
  readonly _client: {
    on(event: 'data', listener: (chunk: Buffer) => void): void
    write(bytes: Buffer): void
    flush(done: () => void): void
  }
}

/**
 * RTU over a serial port. There is no transaction number, so after a time-out the line is flushed and left until it is
 * quiet for twice as long as the slowest reply of late took; then what is read first is read twice and must agree.
 * Throws NotConnectedError.
 */
export async function openSerial(options: SerialOptions, onStray: OnStray): Promise<SerialConnection> {
  const released = Promise.withResolvers<void>()
  const carrier = await openCarrier(options)
  const rtu = rtuOver({
    line: {
      name: options.path,
      write: (bytes) => carrier._client.write(bytes),
      close: () => (carrier.isOpen ? carrier.close(released.resolve) : released.resolve()),
    },
    onStray,
    onTimeout: () => {
      line.isDoubtful = true
    },
  })
  const line: SerialLine = { options, carrier, rtu, isDoubtful: false, sentAt: 0, activeAt: 0, slowestMs: 0 }
  carrier._client.on('data', (chunk) => {
    line.activeAt = performance.now()
    if (line.isDoubtful) line.slowestMs = Math.max(line.slowestMs, line.activeAt - line.sentAt)
    rtu.receive(chunk)
  })
  for (const event of ['close', 'error'] as const)
    carrier.on(event, () => rtu.close('closed', 'the serial port is gone'))
  return {
    request: (unit, pdu, timeoutMs) => request(line, { unit, pdu, timeoutMs }),
    get isOpen() {
      return rtu.isOpen
    },
    get strayReplies() {
      return rtu.strayReplies
    },
    close: rtu.close,
    released: released.promise,
  }
}

/** A port is locked by who opened it until the system has closed it. */
export interface SerialConnection extends Connection {
  readonly released: Promise<void>
}

interface SerialLine {
  readonly options: SerialOptions
  readonly carrier: Carrier
  readonly rtu: RtuLine
  /** After a time-out: the next reply may be the late one. */
  isDoubtful: boolean
  sentAt: number
  /** When the last byte came or the last request went, on performance.now(). */
  activeAt: number
  /** Slowest of the latest replies, in ms. */
  slowestMs: number
}

interface Asked {
  readonly unit: number
  readonly pdu: Buffer
  readonly timeoutMs: number
}

/**
 * The binding of serialport 13 hands on what came over the line without giving JavaScript a turn (Node 26): in a process that
 * has nothing else to do a reply would lie there until something does. So it is given one while a reply is waited for.
 */
async function request(line: SerialLine, asked: Asked): Promise<Buffer> {
  const turns = setInterval(() => undefined, TURN_EVERY_MS)
  try {
    return await careful(line, asked)
  } finally {
    clearInterval(turns)
  }
}

async function careful(line: SerialLine, asked: Asked): Promise<Buffer> {
  if (!line.isDoubtful) return exchange(line, asked)
  await becomeQuiet(line)
  const isRead = (asked.pdu[0] ?? 0) <= 4
  const reply = isRead ? await readTwice(line, asked) : await exchange(line, asked)
  line.isDoubtful = false
  return reply
}

/** Values move, so two honest reads may differ; after some pairs with a quiet line between them the last one is taken. */
async function readTwice(line: SerialLine, asked: Asked): Promise<Buffer> {
  let before = await exchange(line, asked)
  for (let reads = 1; reads < MOST_READS; reads++) {
    const again = await exchange(line, asked)
    if (again.equals(before)) break
    before = again
    await becomeQuiet(line)
  }
  return before
}

async function exchange(line: SerialLine, { unit, pdu, timeoutMs }: Asked): Promise<Buffer> {
  await wait(Math.ceil(Math.max(0, line.activeAt + silenceMs(line.options) - performance.now())))
  line.sentAt = performance.now()
  line.activeAt = line.sentAt
  const reply = await line.rtu.request(unit, pdu, timeoutMs + wireMs(line.options, pdu))
  line.slowestMs = Math.max(performance.now() - line.sentAt, line.slowestMs * FORGETTING)
  return reply
}

async function becomeQuiet(line: SerialLine): Promise<void> {
  const startedAt = performance.now()
  const guardMs = Math.min(Math.max(LEAST_GUARD_MS, line.slowestMs * 2), MOST_GUARD_MS)
  const leftMs = () => Math.max(line.activeAt, startedAt) + guardMs - performance.now()
  for (let left = leftMs(); left > 0 && line.rtu.isOpen; left = leftMs()) {
    if (performance.now() - startedAt > guardMs + MOST_GUARD_MS)
      line.rtu.close('not-the-protocol', 'the serial line is never quiet')
    await wait(Math.ceil(left))
  }
  await new Promise<void>((done) => line.carrier._client.flush(done))
  line.rtu.forget()
}

/** Silence that ends a frame: 3.5 characters, at least 1.75 ms (MODBUS over Serial Line V1.02, 2.5.1.1). */
const silenceMs = ({ baud }: SerialOptions): number => Math.max(1.75, (3.5 * BITS_A_BYTE * 1000) / baud)

/** Time that request and reply take on the wire: the time-out is for the device alone. */
function wireMs({ baud }: SerialOptions, pdu: Buffer): number {
  const isRead = (pdu[0] ?? 0) <= 4
  const replyBytes = isRead ? 5 + pdu.readUInt16BE(3) * 2 : 8
  return Math.ceil(((pdu.length + 3 + Math.min(replyBytes, 256)) * BITS_A_BYTE * 1000) / baud)
}

async function openCarrier(options: SerialOptions): Promise<Carrier> {
  const { path, baud: baudRate, parity, dataBits, stopBits } = options
  // Loaded when a device needs it: it brings a native binding.
  const { default: library } = (await import('modbus-serial')) as unknown as {
    default: { readonly RTUBufferedPort?: new (path: string, options: object) => Carrier }
  }
  if (!library.RTUBufferedPort) throw new NotConnectedError('other', 'Serial ports are not supported on this machine')
  const carrier = new library.RTUBufferedPort(path, { baudRate, parity, dataBits, stopBits })
  return new Promise((resolve, reject) => {
    carrier.on('error', () => undefined)
    carrier.open((error) => {
      if (error) reject(new NotConnectedError('serial-port', `${path}: ${error.message}`, { cause: error }))
      else resolve(carrier)
    })
  })
}
