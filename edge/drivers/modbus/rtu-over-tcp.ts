import type { Connection, OnStray } from './connection.ts'
import { rtuOver } from './line.ts'
import { openSocket, type SocketOptions } from './socket.ts'

/**
 * RTU frames in a TCP connection, as simple serial servers carry them. There is no transaction number, so after a time-out
 * the connection is closed: the late reply then has no way to become another request's value. Throws NotConnectedError.
 */
export async function openRtuOverTcp(
  options: SocketOptions,
  signal: AbortSignal,
  onStray: OnStray,
): Promise<Connection> {
  const socket = await openSocket(options, signal)
  const rtu = rtuOver({
    line: {
      name: `${options.host}:${options.port}`,
      write: (bytes) => void socket.write(bytes),
      close: () => void socket.destroy(),
    },
    onStray,
    onTimeout: () => rtu.close('silent', 'closed after a time-out, so that a late reply is not taken for another'),
  })
  socket.on('data', (chunk: Buffer) => rtu.receive(chunk))
  // A reset emits 'error' and 'close', an orderly end only 'close': 'close' is the one that always comes.
  socket.on('close', () => rtu.close('closed', 'the device closed the connection'))
  socket.on('end', () => rtu.close('closed', 'the device closed the connection'))
  return rtu
}
