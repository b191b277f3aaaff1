import { execFile } from 'node:child_process'
import type { Log } from '#shared/log/log.ts'

/** What systemd tells a service with `WatchdogSec=` (sd_watchdog_enabled(3)). */
interface WatchdogEnvironment {
  readonly WATCHDOG_USEC?: string | undefined
  readonly WATCHDOG_PID?: string | undefined
  readonly NOTIFY_SOCKET?: string | undefined
}

/** How often systemd is told, in ms; undefined when it does not wait for it. Three times in the time it allows: one may get lost. */
export function watchdogEveryMs(env: WatchdogEnvironment, pid: number): number | undefined {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: whose, NOTIFY_SOCKET: socket } = env
  if (!usec || !socket || (whose && Number(whose) !== pid)) return undefined
  const allowedMs = Number(usec) / 1000
  return allowedMs > 0 ? allowedMs / 3 : undefined
}

/**
 * Tells systemd that this program still does its work, so that it is started anew when it hangs. By systemd's own program, since
 * Node opens no datagram sockets of this kind; the unit has `NotifyAccess=all` for it.
 */
export function keepWatchdog(env: WatchdogEnvironment, log: Log): void {
  const everyMs = watchdogEveryMs(env, process.pid)
  if (everyMs === undefined) return
  const tell = () =>
    execFile('systemd-notify', ['WATCHDOG=1'], (error) => {
      if (error) log.warn({ err: error }, 'systemd was not told that the agent works')
    })
  tell()
  setInterval(tell, everyMs).unref()
}
