import { Client, type ClientConfig } from 'pg'
import type { Log } from '#shared/log/log.ts'

type Hear = (payload: string) => void

/** One connection that listens on all channels; opened at the first, and again with back-off whenever it is lost. */
export interface Listener {
  /** Channels are plain lower-case names. Every listener is called once, with '', after each (re)connection. */
  listen(channel: string, hear: Hear): Promise<() => Promise<void>>
  close(): Promise<void>
}

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 5_000

/** Prepares the connection; nothing is opened before the first `listen`. */
export function createListener(config: ClientConfig, log: Log): Listener {
  const channels = new Map<string, Set<Hear>>()
  let client: Client | undefined
  let opening: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  const tell = (heard: Iterable<Hear>, payload: string) => {
    for (const hear of heard) hear(payload)
  }

  async function open(waitMs: number): Promise<void> {
    const next = new Client({ ...config, application_name: 'andon listener' })
    next.on('error', (err) => log.debug({ err }, 'The listening connection was lost'))
    next.on('notification', ({ channel, payload }) => tell(channels.get(channel) ?? [], payload ?? ''))
    try {
      await next.connect()
      next.once('end', () => reopen(FIRST_WAIT_MS))
      for (const channel of channels.keys()) await next.query(`listen ${channel}`)
      client = next
      for (const heard of channels.values()) tell(heard, '')
    } catch (err) {
      log.debug({ err }, 'The listening connection cannot be opened')
      void next.end().catch(() => {})
      reopen(waitMs * 2)
    }
  }

  function reopen(waitMs: number): void {
    client = undefined
    if (isClosed) return
    clearTimeout(timer)
    timer = setTimeout(() => {
      opening = open(Math.min(waitMs, LONGEST_WAIT_MS))
    }, waitMs)
    timer.unref()
  }

  return {
    async listen(channel, hear) {
      const heard = channels.get(channel) ?? new Set()
      channels.set(channel, heard.add(hear))
      opening ??= open(FIRST_WAIT_MS)
      await opening
      // Repeating LISTEN is harmless, and the opening may have passed this channel's place.
      await client?.query(`listen ${channel}`).catch(() => {})
      hear('')
      return async () => void heard.delete(hear)
    },
    async close() {
      isClosed = true
      clearTimeout(timer)
      await opening
      await client?.end().catch(() => {})
    },
  }
}
