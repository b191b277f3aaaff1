import type { ClientMessage, ServerMessage, StreamEvent } from '#shared/contracts/stream.ts'
import type { LiveValue } from '#shared/contracts/tag.ts'
import { type LinkState, linkState, seenEvents, valueStore, wants } from './stream-parts.ts'

export type { LinkState } from './stream-parts.ts'

export interface StreamOptions {
  readonly url: string
  readonly onEvent: (event: StreamEvent) => void
  /** Events are missing: read everything again. */
  readonly onResync: () => void
  readonly onServerTime?: (now: string) => void
  /** First wait before a reconnect in ms; doubles up to 32 times this. */
  readonly retryMs?: number
  /** A link that says nothing for so long is dead; the server ticks every 5 s. */
  readonly silenceMs?: number
  readonly random?: () => number
}

/** The one connection of the page: durable events resumed by number, live values conflated to the newest one a tag. */
export interface StreamClient {
  /** Wants the topics until the returned function is called. */
  subscribe(topics: readonly string[]): () => void
  /** Wants the tag's live value until the returned function is called. */
  watch(path: string, listener: () => void): () => void
  valueOf(path: string): LiveValue | undefined
  state(): LinkState
  onState(listener: () => void): () => void
  close(): void
}

/** Opens the stream and keeps it open until close(): reconnects with back-off and resumes after the last event seen. */
export function openStream(options: StreamOptions): StreamClient {
  const link = new StreamLink(options)
  link.connect()
  return link
}

type Timer = ReturnType<typeof setTimeout> | undefined

class StreamLink implements StreamClient {
  readonly #options: StreamOptions
  readonly #topics = wants()
  readonly #paths = wants()
  readonly #values = valueStore()
  readonly #link = linkState()
  readonly #seen = seenEvents()
  #socket: WebSocket | undefined
  #lastSeq: number | undefined
  #attempt = 0
  #isClosed = false
  #isGreeted = false
  #retryTimer: Timer
  #silenceTimer: Timer
  #valuesTimer: Timer

  constructor(options: StreamOptions) {
    this.#options = options
  }

  readonly state = () => this.#link.get()
  readonly onState = (listener: () => void) => this.#link.listen(listener)
  readonly valueOf = (path: string) => this.#values.get(path)

  subscribe(names: readonly string[]): () => void {
    const fresh = names.filter((name) => this.#topics.add(name))
    const after = this.#lastSeq === undefined ? {} : { after: this.#lastSeq }
    if (fresh.length > 0) this.#send({ type: 'subscribe', topics: fresh, ...after })
    return () => {
      const gone = names.filter((name) => this.#topics.drop(name))
      if (gone.length > 0) this.#send({ type: 'unsubscribe', topics: gone })
    }
  }

  watch(path: string, listener: () => void): () => void {
    const stop = this.#values.listen(path, listener)
    if (this.#paths.add(path)) this.#sendPathsSoon()
    return () => {
      stop()
      if (this.#paths.drop(path)) this.#sendPathsSoon()
    }
  }

  readonly close = () => {
    this.#isClosed = true
    for (const timer of [this.#retryTimer, this.#silenceTimer, this.#valuesTimer]) clearTimeout(timer)
    this.#socket?.close()
    this.#socket = undefined
  }

  connect(): void {
    const opened = new WebSocket(this.#options.url)
    this.#socket = opened
    this.#expectSoon(opened)
    opened.onmessage = (event) => {
      if (opened !== this.#socket) return
      this.#expectSoon(opened)
      this.#link.touch(Date.now())
      this.#take(JSON.parse(String(event.data)) as ServerMessage)
    }
    opened.onclose = () => this.#lose(opened)
    opened.onerror = () => this.#lose(opened)
  }

  #send(message: ClientMessage): void {
    if (this.#isGreeted && this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  /** A screen mounts many tags in one go: one message says them all. */
  #sendPathsSoon(): void {
    this.#valuesTimer ??= setTimeout(() => this.#sendPaths(), 10)
  }

  #sendPaths(): void {
    this.#valuesTimer = undefined
    this.#send({ type: 'values', paths: this.#paths.names().slice(0, 1000) })
  }

  #take(message: ServerMessage): void {
    if (message.type === 'hello' || message.type === 'tick') this.#options.onServerTime?.(message.now)
    if (message.type === 'hello') this.#greet(message.seq)
    if (message.type === 'event') this.#takeEvent(message)
    if (message.type === 'values') this.#values.put(message.items)
    if (message.type === 'resync') this.#resync(message.seq)
  }

  #greet(seq: number): void {
    this.#isGreeted = true
    this.#attempt = 0
    this.#lastSeq ??= seq
    this.#link.set({ status: 'live', lastAt: Date.now(), caughtUp: Math.max(0, seq - this.#lastSeq) })
    const topics = this.#topics.names()
    if (topics.length > 0) this.#send({ type: 'subscribe', topics, after: this.#lastSeq })
    this.#sendPaths()
  }

  #resync(seq: number): void {
    this.#lastSeq = seq
    this.#seen.forget()
    this.#options.onResync()
  }

  #takeEvent(event: StreamEvent): void {
    this.#lastSeq = Math.max(this.#lastSeq ?? 0, event.seq)
    if (this.#seen.isNew(event.seq)) this.#options.onEvent(event)
  }

  #expectSoon(from: WebSocket): void {
    clearTimeout(this.#silenceTimer)
    this.#silenceTimer = setTimeout(() => this.#lose(from), this.#options.silenceMs ?? 12_000)
  }

  #lose(from: WebSocket): void {
    if (this.#isClosed || from !== this.#socket) return
    this.#socket = undefined
    this.#isGreeted = false
    clearTimeout(this.#silenceTimer)
    from.close()
    if (this.#link.get().status !== 'lost') this.#link.set({ status: 'lost' })
    const random = this.#options.random ?? Math.random
    const waitMs = (this.#options.retryMs ?? 500) * 2 ** Math.min(this.#attempt, 5) * (0.5 + random() / 2)
    this.#attempt += 1
    this.#retryTimer = setTimeout(() => this.connect(), waitMs)
  }
}
