import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'

/** A request as it came over the wire. */
export interface Request {
  readonly transaction: number
  readonly unit: number
  readonly code: number
  readonly start: number
  readonly count: number
  readonly pdu: Buffer
}

/** What a script does with a request: answer bytes, nothing, or break the socket. */
export type Answer = Buffer | 'silence' | 'reset'

/** How frames are told apart: Modbus TCP's header, or RTU's unit and CRC. */
export type Framing = 'mbap' | 'rtu'

export interface ScriptedServer {
  readonly port: number
  readonly framing: Framing
  readonly requests: Request[]
  /** Registers of unit → value; read by the default answer. Absent registers are 0. */
  readonly registers: Map<number, number>
  /** Replaces the default answer while set. */
  script: ((request: Request, socket: Socket) => Answer | undefined) | undefined
  /** The bytes of a frame that answers a request, in this server's framing. `as` puts another unit or transaction in. */
  frame(request: Request, pdu: Buffer, as?: Partial<Request>): Buffer
  /** The same for a read's data bytes. */
  reply(request: Request, data: Buffer, as?: Partial<Request>): Buffer
  /** The same for an exception. */
  exception(request: Request, code: number): Buffer
  /** What a request is answered while no script is set. */
  honest(request: Request): Buffer
  /** Sockets open now. */
  connections(): number
  close(): Promise<void>
}

/** A Modbus server on a real socket that a test tells how to misbehave. Parses its own bytes, shares no code with the driver. */
export async function scriptedServer(framing: Framing = 'mbap'): Promise<ScriptedServer> {
  const sockets = new Set<Socket>()
  const state: { script: ScriptedServer['script'] } = { script: undefined }
  const requests: Request[] = []
  const registers = new Map<number, number>()
  const build = (request: Request, pdu: Buffer, as: Partial<Request> = {}): Buffer => {
    const { transaction, unit } = { ...request, ...as }
    return framing === 'mbap' ? frame(transaction, unit, pdu) : withCrc(Buffer.concat([Buffer.of(unit), pdu]))
  }
  const buildReply = (request: Request, data: Buffer, as?: Partial<Request>) =>
    build(request, Buffer.concat([Buffer.from([request.code, data.length]), data]), as)
  const honest = (request: Request) => buildReply(request, registerBytes(request, registers))
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    let rest = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      for (let size = SIZES[framing](rest); size > 0 && rest.length >= size; size = SIZES[framing](rest)) {
        const request = PARSERS[framing](rest.subarray(0, size))
        rest = rest.subarray(size)
        requests.push(request)
        respond(socket, state.script?.(request, socket) ?? honest(request))
      }
    })
  })
  await listen(server)
  return {
    port: (server.address() as AddressInfo).port,
    framing,
    requests,
    registers,
    frame: build,
    reply: buildReply,
    exception: (request, code) => build(request, Buffer.from([request.code | 0x80, code])),
    honest,
    get script() {
      return state.script
    },
    set script(script) {
      state.script = script
    },
    connections: () => sockets.size,
    close: () =>
      new Promise((done) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => done())
      }),
  }
}

const listen = (server: Server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))

/** Bytes of the request that begins there; 0 while that is not known. */
const SIZES: Readonly<Record<Framing, (bytes: Buffer) => number>> = {
  mbap: (bytes) => (bytes.length < 6 ? 0 : 6 + bytes.readUInt16BE(4)),
  rtu: (bytes) => {
    if (bytes.length < 7) return 0
    const code = bytes[1] ?? 0
    return code === 15 || code === 16 ? 9 + (bytes[6] ?? 0) : code === 22 ? 10 : 8
  },
}

const PARSERS: Readonly<Record<Framing, (bytes: Buffer) => Request>> = {
  mbap: (bytes) => requestOf(bytes.readUInt16BE(0), bytes.readUInt8(6), Buffer.from(bytes.subarray(7))),
  rtu: (bytes) => {
    const whole = withCrc(bytes.subarray(0, -2))
    if (!whole.equals(bytes)) throw new Error(`A request with a wrong CRC: ${bytes.toString('hex')}`)
    return requestOf(0, bytes.readUInt8(0), Buffer.from(bytes.subarray(1, -2)))
  },
}

const requestOf = (transaction: number, unit: number, pdu: Buffer): Request => ({
  ...{ transaction, unit, pdu, code: pdu.readUInt8(0) },
  ...{ start: pdu.readUInt16BE(1), count: pdu.readUInt16BE(3) },
})

/** CRC bit by bit, as appendix B of MODBUS over Serial Line tells it. */
export function withCrc(bytes: Buffer): Buffer {
  let crc = 0xffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  }
  return Buffer.concat([bytes, Buffer.of(crc & 0xff, crc >> 8)])
}

function respond(socket: Socket, answer: Answer): void {
  if (answer === 'silence') return
  if (answer === 'reset') socket.resetAndDestroy()
  else socket.write(answer)
}

/** The bytes of a well-formed reply to a register read. */
export function reply({ transaction, unit, code }: Request, data: Buffer): Buffer {
  return frame(transaction, unit, Buffer.concat([Buffer.from([code, data.length]), data]))
}

/** The bytes of an exception reply. */
export function exception({ transaction, unit, code }: Request, exceptionCode: number): Buffer {
  return frame(transaction, unit, Buffer.from([code | 0x80, exceptionCode]))
}

/** Any PDU in an MBAP header. */
export function frame(transaction: number, unit: number, pdu: Buffer): Buffer {
  const header = Buffer.alloc(7)
  header.writeUInt16BE(transaction, 0)
  header.writeUInt16BE(pdu.length + 1, 4)
  header.writeUInt8(unit, 6)
  return Buffer.concat([header, pdu])
}

function registerBytes({ start, count, code }: Request, registers: ReadonlyMap<number, number>): Buffer {
  if (code <= 2) return bitBytes(start, count, registers)
  const data = Buffer.alloc(count * 2)
  for (let i = 0; i < count; i++) data.writeUInt16BE(registers.get(start + i) ?? 0, i * 2)
  return data
}

function bitBytes(start: number, count: number, registers: ReadonlyMap<number, number>): Buffer {
  const data = Buffer.alloc(Math.ceil(count / 8))
  for (let i = 0; i < count; i++) if (registers.get(start + i)) data[i >> 3] = (data[i >> 3] ?? 0) | (1 << (i & 7))
  return data
}
