import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A pseudo-terminal whose other end is a TCP server. */
export interface SerialBridge {
  /** Path of the serial port. */
  readonly path: string
  /** Unplugs it. */
  close(): Promise<void>
}

/** Opens a pseudo-terminal by `socat` whose bytes go to a port of loopback and back. */
export async function serialBridge(socat: string, port: number): Promise<SerialBridge> {
  const dir = mkdtempSync(join(tmpdir(), 'andon-tty-'))
  const path = join(dir, 'tty')
  const appeared = new Promise<void>((resolve) => {
    const watcher = watch(dir, () => {
      watcher.close()
      resolve()
    })
  })
  const child = spawn(socat, [`PTY,link=${path},raw,echo=0`, `TCP:127.0.0.1:${port},nodelay`], { stdio: 'ignore' })
  await appeared
  // While somebody has it open, closing it elsewhere does not end socat.
  const held = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  let isClosed = false
  return {
    path,
    close: async () => {
      if (isClosed) return
      isClosed = true
      if (child.exitCode === null && child.signalCode === null) {
        const gone = once(child, 'exit')
        child.kill('SIGKILL')
        await gone
      }
      closeSync(held)
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
