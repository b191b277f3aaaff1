import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy that behaves as links in plants do. */
export interface LinkProxy {
  readonly url: string
  /** Passes nothing on and closes nothing: a pulled cable behind a switch. */
  hold(): void
  /** Passes on again; what was held comes late. */
  release(): void
  /** Everything takes this much longer from now on, in ms. */
  delay(ms: number): void
  /** Breaks every connection and takes no new one. */
  cut(): void
  mend(): void
  close(): Promise<void>
}

/** Stands before a server on a port of its own. */
export async function startProxy(target: number): Promise<LinkProxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  const state = { isHeld: false, isCut: false, delayMs: 0 }
  const server = createServer((near) => {
    if (state.isCut) return void near.destroy()
    const far = connect(target, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    for (const [from, to] of [pair, [far, near] as const]) {
      if (state.isHeld) from.pause()
      from.on('error', () => undefined)
      from.on('data', (bytes) => {
        if (state.delayMs === 0) to.write(bytes)
        else setTimeout(() => to.write(bytes), state.delayMs)
      })
      from.on('close', () => {
        to.destroy()
        pairs.delete(pair)
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const each = (act: (socket: Socket) => void) => [...pairs].flat().forEach(act)
  return {
    url: `opc.tcp://127.0.0.1:${port}`,
    hold() {
      state.isHeld = true
      each((socket) => socket.pause())
    },
    release() {
      state.isHeld = false
      each((socket) => socket.resume())
    },
    delay(ms) {
      state.delayMs = ms
    },
    cut() {
      state.isCut = true
      each((socket) => socket.destroy())
    },
    mend() {
      state.isCut = false
    },
    async close() {
      each((socket) => socket.destroy())
      await new Promise((done) => server.close(done))
    },
  }
}
