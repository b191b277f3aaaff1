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

export interface ScriptedServer {
  readonly port: number
  readonly requests: Request[]
  /** Registers of unit → value; read by the default answer. Absent registers are 0. */
  readonly registers: Map<number, number>
  /** Replaces the default answer while set. */
  script: ((request: Request, socket: Socket) => Answer | undefined) | undefined
  /** Sockets open now. */
  connections(): number
  close(): Promise<void>
}

/** A Modbus TCP server on a real socket that a test tells how to misbehave. Parses its own bytes, shares no code with the driver. */
export async function scriptedServer(): Promise<ScriptedServer> {
  const sockets = new Set<Socket>()
  const state: { script: ScriptedServer['script'] } = { script: undefined }
  const requests: Request[] = []
  const registers = new Map<number, number>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    let rest = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= 6 && rest.length >= 6 + rest.readUInt16BE(4)) {
        const size = 6 + rest.readUInt16BE(4)
        const request = parse(rest.subarray(0, size))
        rest = rest.subarray(size)
        requests.push(request)
        respond(socket, state.script?.(request, socket) ?? reply(request, registerBytes(request, registers)))
      }
    })
  })
  await listen(server)
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    registers,
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

function parse(bytes: Buffer): Request {
  const pdu = Buffer.from(bytes.subarray(7))
  return {
    transaction: bytes.readUInt16BE(0),
    unit: bytes.readUInt8(6),
    code: pdu.readUInt8(0),
    start: pdu.readUInt16BE(1),
    count: pdu.readUInt16BE(3),
    pdu,
  }
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
