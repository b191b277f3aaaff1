import { useSyncExternalStore } from 'react'

let skewMs = 0
let tickAt = Date.now()
let timer: ReturnType<typeof setTimeout> | undefined
const listeners = new Set<() => void>()

/** Notes what the server's clock said just now, so that every clock of the console runs on server time. */
export function setServerTime(now: string, receivedAt = Date.now()): void {
  const at = Date.parse(now)
  if (Number.isFinite(at)) skewMs = at - receivedAt
}

/** Server time in ms since 1970. */
export const serverNow = (): number => Date.now() + skewMs

function tick(): void {
  tickAt = serverNow()
  for (const listener of listeners) listener()
  schedule()
}

/** One timer for the whole page, on the full second. */
function schedule(): void {
  timer = listeners.size > 0 ? setTimeout(tick, 1000 - (serverNow() % 1000)) : undefined
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  if (timer === undefined) {
    tickAt = serverNow()
    schedule()
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) {
      clearTimeout(timer)
      timer = undefined
    }
  }
}

/** Server time in ms, redrawn every second. */
export const useServerNow = (): number => useSyncExternalStore(subscribe, () => tickAt)
