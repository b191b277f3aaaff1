import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { answerPdu, type PduEvents } from './modbus-pdu.ts'
import type { ModbusUnit } from './modbus-unit.ts'

const HEADER = 7
/** Unit id, function code and data of the longest frame: Modbus on TCP/IP 1.0b, clause 4.1. */
const LONGEST = 254
const GATEWAY_TARGET_SILENT = 11

export interface ModbusServerOptions {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  readonly units: ReadonlyMap<number, ModbusUnit>
  /** Told after each answered read and each write. */
  readonly events: (unit: number) => PduEvents
}

export interface ModbusServer {
  readonly port: number
  /** Closes the port and every connection. Safe to call twice. */
  close(): Promise<void>
}

/** Serves Modbus TCP: many units on one port, requests of a connection answered in order. Rejects with the system's error when the port is taken. */
export async function serveModbus(options: ModbusServerOptions): Promise<ModbusServer> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    serveConnection(socket, options)
  })
  await listening(server, options)
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function listening(server: Server, { host, port }: ModbusServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function serveConnection(socket: Socket, options: ModbusServerOptions): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let offset = 0
    let length = frameLength(bytes, offset)
    while (length > 0 && offset + length <= bytes.length) {
      answerFrame(socket, bytes.subarray(offset, offset + length), options)
      offset += length
      length = frameLength(bytes, offset)
    }
    if (length < 0) socket.destroy()
    else rest = bytes.subarray(offset)
  })
}

/** Bytes of the frame that begins at an offset: 0 when its header is incomplete, -1 when this is no Modbus TCP. */
function frameLength(bytes: Buffer, offset: number): number {
  if (bytes.length - offset < HEADER) return 0
  const length = bytes.readUInt16BE(offset + 4)
  const isModbus = bytes.readUInt16BE(offset + 2) === 0 && length >= 2 && length <= LONGEST
  return isModbus ? 6 + length : -1
}

function answerFrame(socket: Socket, frame: Buffer, { units, events }: ModbusServerOptions): void {
  const unitId = frame[6] ?? 0
  const unit = units.get(unitId)
  const pdu = frame.subarray(HEADER)
  if (!unit) {
    send(socket, frame, Buffer.from([(pdu[0] ?? 0) | 0x80, GATEWAY_TARGET_SILENT]))
    return
  }
  if (unit.latencyMs === 0) {
    send(socket, frame, answerPdu(pdu, unit, events(unitId)))
    return
  }
  const request = Buffer.from(frame)
  setTimeout(() => {
    if (!socket.destroyed) send(socket, request, answerPdu(request.subarray(HEADER), unit, events(unitId)))
  }, unit.latencyMs)
}

function send(socket: Socket, request: Buffer, pdu: Buffer): void {
  const frame = Buffer.allocUnsafe(HEADER + pdu.length)
  request.copy(frame, 0, 0, 4)
  frame.writeUInt16BE(pdu.length + 1, 4)
  frame[6] = request[6] ?? 0
  pdu.copy(frame, HEADER)
  socket.write(frame)
}
