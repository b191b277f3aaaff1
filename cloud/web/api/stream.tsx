import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react'
import type { LiveValue } from '#shared/contracts/tag.ts'
import { BASE_TOPICS, refresher } from './live.ts'
import { setServerTime } from './server-time.ts'
import { type LinkState, openStream, type StreamClient } from './stream-client.ts'

const StreamContext = createContext<StreamClient | undefined>(undefined)

const streamUrl = () => `${window.location.protocol === 'https:' ? 'wss' : 'ws'}://${window.location.host}/api/stream`

/** Keeps the one stream of the page open while somebody is signed in, and reads again what its events change. */
export function StreamProvider({ children }: { readonly children: ReactNode }) {
  const client = useQueryClient()
  const [stream, setStream] = useState<StreamClient>()
  useEffect(() => {
    const live = refresher(client)
    const opened = openStream({
      url: streamUrl(),
      onEvent: live.onEvent,
      onResync: () => void client.invalidateQueries(),
      onServerTime: setServerTime,
    })
    const stop = opened.subscribe(BASE_TOPICS)
    setStream(opened)
    return () => {
      stop()
      live.close()
      opened.close()
    }
  }, [client])
  return (
    <StreamContext value={stream}>
      <LostProvider>{children}</LostProvider>
    </StreamContext>
  )
}

const nothing = () => () => undefined

/** Newest live value of a tag; undefined until one came. */
export function useLiveValue(path: string | undefined): LiveValue | undefined {
  const stream = useContext(StreamContext)
  const [subscribe] = useSubscription(stream, path)
  return useSyncExternalStore(subscribe, () => (path ? stream?.valueOf(path) : undefined))
}

/** The subscribe function of one tag, the same one until stream or tag change. */
function useSubscription(stream: StreamClient | undefined, path: string | undefined) {
  const [held, hold] = useState(() => ({ stream, path, subscribe: subscription(stream, path) }))
  if (held.stream === stream && held.path === path) return [held.subscribe] as const
  const next = { stream, path, subscribe: subscription(stream, path) }
  hold(next)
  return [next.subscribe] as const
}

function subscription(stream: StreamClient | undefined, path: string | undefined) {
  return stream && path ? (listener: () => void) => stream.watch(path, listener) : nothing
}

/** Calls `listener` with each change of the tags' live values. */
export function useLiveValues(paths: readonly string[], listener: (value: LiveValue) => void): void {
  const stream = useContext(StreamContext)
  const key = paths.join('\n')
  useEffect(() => {
    if (!stream || !key) return
    const stops = key.split('\n').map((path) =>
      stream.watch(path, () => {
        const value = stream.valueOf(path)
        if (value) listener(value)
      }),
    )
    return () => {
      for (const stop of stops) stop()
    }
  }, [stream, key, listener])
}

/** Listens to one more topic while the screen is open. */
export function useTopic(topic: string | undefined): void {
  const stream = useContext(StreamContext)
  useEffect(() => (stream && topic ? stream.subscribe([topic]) : undefined), [stream, topic])
}

const CONNECTING: LinkState = { status: 'connecting', lastAt: null, caughtUp: 0 }

/** How the link is. */
export function useLink(): LinkState {
  const stream = useContext(StreamContext)
  const [held, hold] = useState({ stream, subscribe: stream ? stream.onState : nothing })
  if (held.stream !== stream) hold({ stream, subscribe: stream ? stream.onState : nothing })
  return useSyncExternalStore(held.subscribe, () => stream?.state() ?? CONNECTING)
}

/** A loss of the link is told after this many ms: shorter ones heal unseen. */
const TELL_AFTER_MS = 3000

const LostContext = createContext<number | undefined>(undefined)

/** Works out once for the whole page since when the link is lost. */
function LostProvider({ children }: { readonly children: ReactNode }) {
  const link = useLink()
  const [lost, setLost] = useState<number>()
  useEffect(() => {
    if (link.status === 'live') return setLost(undefined)
    const lostAt = link.lastAt ?? Date.now()
    const timer = setTimeout(() => setLost((at) => at ?? lostAt), TELL_AFTER_MS)
    return () => clearTimeout(timer)
  }, [link.status, link.lastAt])
  return <LostContext value={lost}>{children}</LostContext>
}

/** Since when the link is lost (ms since 1970), once that has lasted for 3 s; undefined while it lives. */
export const useLostSince = (): number | undefined => useContext(LostContext)
