import type { Socket } from 'node:net'
import { Bucket } from './bucket.ts'
import type { BrokerLimits } from './limits.ts'
import type { Valve } from './valve.ts'

/** Averages are taken over this long. */
const SPAN_SECONDS = 2
const CONTROL_BURST = 10
/** Shorter waits cost more than they save. */
const LEAST_WAIT_MS = 5
/** SUBSCRIBE, UNSUBSCRIBE and PINGREQ, as bits by packet type (MQTT 3.1.1, 2.2.1). */
const CONTROL_TYPES = (1 << 8) | (1 << 10) | (1 << 12)

/** Why a connection is closed for what it sends. */
export type IntakeRefusal = 'packet-too-long' | 'control-flood'

export interface IntakeOptions {
  readonly limits: BrokerLimits
  /** Nothing is read while it is shut. */
  readonly valve: Valve
  /** Longest packet that this client may send now. */
  readonly packetBytes: () => number
  /** Monotonic ms. */
  readonly now: () => number
  /** Called once; nothing more is read. */
  readonly onRefused: (reason: IntakeRefusal, detail: Readonly<Record<string, number>>) => void
  /** Called when reading has to wait. */
  readonly onSlowed: (waitMs: number) => void
}

/**
 * Stands between a socket and the broker that reads from it: follows the frames, closes a connection that announces a packet
 * that is too long before its body is gathered (the parser keeps up to 256 MB of one), and lets one that sends too much wait:
 * what is not read stays in the kernel, whose window slows the sender down. Bodies are skipped, not looked at, and nothing is
 * copied. Call before the broker takes the socket.
 */
export function limitIntake(socket: Socket, options: IntakeOptions): void {
  const intake = new Intake(socket, options)
  const read = socket.read
  socket.read = (size?: number) => intake.pass(() => read.call(socket, size))
}

class Intake {
  readonly #socket: Socket
  readonly #options: IntakeOptions
  readonly #packets: Bucket
  readonly #bytes: Bucket
  readonly #control: Bucket
  /** Bytes of the body still to come; while a header is read, 0. */
  #left = 0
  /** Of the header under way: bytes seen, type, and length so far. */
  #headerBytes = 0
  #type = 0
  #length = 0
  readonly #reopen = (): void => {
    this.#isShut = false
    this.#goOn()
  }
  readonly #goOn = (): void => {
    if (!this.#isShut && !this.#socket.destroyed) this.#socket.emit('readable')
  }
  /** Nothing is handed over: a chunk is being worked on, the connection has to wait, or it is refused. */
  #isShut = false

  constructor(socket: Socket, options: IntakeOptions) {
    const { messagesPerSecond, bytesPerSecond, controlPacketsPerSecond } = options.limits
    const now = options.now()
    this.#socket = socket
    this.#options = options
    this.#packets = new Bucket(messagesPerSecond, messagesPerSecond * SPAN_SECONDS, now)
    this.#bytes = new Bucket(bytesPerSecond, bytesPerSecond * SPAN_SECONDS, now)
    this.#control = new Bucket(controlPacketsPerSecond, controlPacketsPerSecond * CONTROL_BURST, now)
  }

  pass(read: () => Buffer | null): Buffer | null {
    if (this.#isShut) return null
    if (this.#options.valve.isShut) {
      this.#options.valve.whenOpen(this.#goOn)
      return null
    }
    const chunk = read()
    if (chunk === null) return null
    this.#isShut = true
    return this.#isTaken(chunk) ? chunk : null
  }

  /** Counts a chunk; afterwards the intake opens again, at once or when the debt is paid. False: the connection is refused. */
  #isTaken(chunk: Buffer): boolean {
    const options = this.#options
    const counts = { packets: 0, control: 0 }
    const tooLong = this.#follow(chunk, options.packetBytes(), counts)
    const now = options.now()
    if (tooLong > 0) return this.#refuse('packet-too-long', { sizeBytes: tooLong })
    if (counts.control > 0 && this.#control.take(counts.control, now) > 0) return this.#refuse('control-flood', {})
    const waitMs = Math.max(this.#packets.take(counts.packets, now), this.#bytes.take(chunk.length, now))
    if (waitMs < LEAST_WAIT_MS) {
      // Not sooner: while the parser works on a chunk the broker asks for the next, and a parser is not made to be entered twice.
      queueMicrotask(() => {
        this.#isShut = false
        // A read gives one buffer, and nobody asks for the next: its event was when it came. Others have their turn first.
        if (this.#socket.readableLength > 0) setImmediate(this.#goOn)
      })
      return true
    }
    options.onSlowed(waitMs)
    setTimeout(this.#reopen, waitMs)
    return true
  }

  #refuse(reason: IntakeRefusal, detail: Readonly<Record<string, number>>): boolean {
    this.#options.onRefused(reason, detail)
    return false
  }

  /** Follows the frames through a chunk; answers the size of the first packet over the limit, else 0. */
  #follow(chunk: Buffer, limit: number, counts: { packets: number; control: number }): number {
    let at = 0
    while (at < chunk.length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at)
        this.#left -= taken
        at += taken
        continue
      }
      const type = this.#readHeader(chunk[at] ?? 0)
      at += 1
      if (type === undefined) continue
      counts.packets += 1
      counts.control += (CONTROL_TYPES >> type) & 1
      if (this.#left > limit) return this.#left
    }
    return 0
  }

  /** MQTT 3.1.1, 2.2.3: seven bits a byte, least significant first, the eighth says that another follows. Answers the type when the header ends. */
  #readHeader(byte: number): number | undefined {
    if (this.#headerBytes === 0) {
      this.#headerBytes = 1
      this.#length = 0
      this.#type = byte >> 4
      return undefined
    }
    this.#length += (byte & 0x7f) * 128 ** (this.#headerBytes - 1)
    this.#headerBytes += 1
    if (byte & 0x80 && this.#headerBytes <= 4) return undefined
    this.#left = this.#length
    this.#headerBytes = 0
    return this.#type
  }
}
