/**
 * Modbus TCP units for load, in a process of their own: every float changes each second. Hand-written, because a server
 * that takes a millisecond a reply would measure itself.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type FromSimulator, isBad, isMortal, type Load, placeOf, type ToSimulator, valueAt } from './plan.ts'

const HEADER = 7
const NO_SUCH_ADDRESS = 2
const SETPOINT_BYTES = 4
let areDead = false

process.on('message', (message: ToSimulator) => {
  if (message.type === 'kill-units') areDead = true
  else void start(message.load)
})
process.on('disconnect', () => process.exit(0))

async function start(load: Load): Promise<void> {
  const images = Array.from({ length: load.connections }, () =>
    Array.from({ length: load.units }, () => Buffer.alloc(load.tags * 4 + SETPOINT_BYTES)),
  )
  const refresh = () => {
    fill(load, images)
    setTimeout(refresh, 1000 - (Date.now() % 1000))
  }
  refresh()
  const bad = Uint8Array.from({ length: load.tags * 2 }, (_, register) => Number(isBad(load, register >> 1)))
  const ports: number[] = []
  for (const units of images) {
    const server = createServer({ noDelay: true }, (socket) => serve(socket, { load, units, bad }))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    ports.push((server.address() as AddressInfo).port)
  }
  process.send?.({ type: 'ready', ports } satisfies FromSimulator)
}

function fill(load: Load, images: readonly (readonly Buffer[])[]): void {
  const second = Math.floor(Date.now() / 1000)
  images.forEach((units, connection) => {
    units.forEach((image, unit) => {
      const first = placeOf(load, connection, unit + 1, 0)
      for (let tag = 0; tag < load.tags; tag++) image.writeFloatBE(valueAt(first + tag, second), tag * 4)
    })
  })
}

interface Served {
  readonly load: Load
  readonly units: readonly Buffer[]
  readonly bad: Uint8Array
}

function serve(socket: Socket, served: Served): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (bytes.length >= 6 && bytes.length >= 6 + bytes.readUInt16BE(4)) {
      const size = 6 + bytes.readUInt16BE(4)
      answer(socket, bytes.subarray(0, size), served)
      bytes = bytes.subarray(size)
    }
    rest = bytes
  })
}

function answer(socket: Socket, request: Buffer, served: Served): void {
  const unit = request[6] ?? 0
  if (areDead && isMortal(served.load, unit)) return
  const { latencyMs } = served.load
  const reply = replyTo(request, served)
  if (latencyMs === 0) socket.write(reply)
  else setTimeout(() => socket.destroyed || socket.write(reply), latencyMs)
}

function replyTo(request: Buffer, { units, bad }: Served): Buffer {
  const image = units[(request[6] ?? 0) - 1]
  const code = request[HEADER] ?? 0
  const isWrite = code === 16
  const [start, count] = [request.readUInt16BE(HEADER + 1), request.readUInt16BE(HEADER + 3)]
  const end = start + count
  if (!image || end * 2 > image.length || bad.subarray(start, end).includes(1))
    return frame(request, Buffer.from([code | 0x80, NO_SUCH_ADDRESS]))
  if (isWrite) {
    request.copy(image, start * 2, HEADER + 6, HEADER + 6 + count * 2)
    return frame(request, request.subarray(HEADER, HEADER + 5))
  }
  const pdu = Buffer.allocUnsafe(2 + count * 2)
  pdu[0] = code
  pdu[1] = count * 2
  image.copy(pdu, 2, start * 2, end * 2)
  return frame(request, pdu)
}

function frame(request: Buffer, pdu: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER + pdu.length)
  request.copy(bytes, 0, 0, HEADER)
  bytes.writeUInt16BE(pdu.length + 1, 4)
  pdu.copy(bytes, HEADER)
  return bytes
}
