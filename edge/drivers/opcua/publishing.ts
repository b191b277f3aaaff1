import type { Acknowledged, Message, OpcuaSession } from './connection.ts'

/** Why the messages of a session do not come as they should; the watchdog begins at another rung for each. */
export type PublishFault = 'missed' | 'subscription-ended' | 'session-ended'

export interface PublishingOptions {
  readonly session: Pick<OpcuaSession, 'publish' | 'republish'>
  /** Told of each message once, in order. */
  readonly onMessage: (message: Message) => void
  /** Any sign of life of a subscription. */
  readonly onSign: (subscription: number) => void
  /** Called before what came after a hole is given to onMessage. */
  readonly onFault: (fault: PublishFault) => void
}

/** Keeps publish requests under way and the messages of each subscription complete and in order. */
export interface Publishing {
  /** Listens to one more subscription. */
  add(subscription: number): void
  remove(subscription: number): void
  /** Sends new publish requests: the server may have lost those under way. */
  renew(): void
  /** Asks for a message that may have got lost; resolves when the server has none. */
  fetchMissed(subscription: number): Promise<void>
  stop(): void
}

interface Stream {
  readonly subscription: number
  /** Number of the next message; undefined before the first. */
  next: number | undefined
  /** Messages that wait until a hole before them is filled. */
  held: Message[] | undefined
}

interface PublishState {
  readonly options: PublishingOptions
  readonly streams: Map<number, Stream>
  acknowledgements: Acknowledged[]
  /** Requests of an older generation are not sent again once answered. */
  generation: number
  running: number
}

/** The server holds a publish request until it has something to tell. */
const PUBLISH_TIMEOUT_MS = 120_000
const SPARE_REQUESTS = 2
/** More messages than this are not fetched one by one. */
const MOST_MISSED = 50
const UINT32 = 2 ** 32

/** Nothing is asked before the first subscription is added. */
export function createPublishing(options: PublishingOptions): Publishing {
  const state: PublishState = { options, streams: new Map(), acknowledgements: [], generation: 0, running: 0 }
  return {
    add(subscription) {
      state.streams.set(subscription, { subscription, next: undefined, held: undefined })
      pumpEnough(state)
    },
    remove: (subscription) => void state.streams.delete(subscription),
    renew() {
      state.generation++
      state.running = 0
      pumpEnough(state)
    },
    async fetchMissed(subscription) {
      const stream = state.streams.get(subscription)
      if (stream?.next === undefined || stream.held) return
      stream.held = []
      try {
        await fill(state, stream, (stream.next + MOST_MISSED) % UINT32)
      } finally {
        release(state, stream)
      }
    },
    stop() {
      state.generation++
      state.streams.clear()
    },
  }
}

/** Two requests more than there are subscriptions: the server has one to answer while others are on their way. */
function pumpEnough(state: PublishState): void {
  while (state.running < state.streams.size + SPARE_REQUESTS) {
    state.running++
    void pump(state, state.generation)
  }
}

async function pump(state: PublishState, generation: number): Promise<void> {
  let isGoingOn = true
  while (isGoingOn && generation === state.generation && state.streams.size > 0) {
    const acknowledgements = state.acknowledgements
    state.acknowledgements = []
    try {
      const { subscription, message } = await state.options.session.publish(acknowledgements, PUBLISH_TIMEOUT_MS)
      receive(state, subscription, message)
    } catch (error) {
      isGoingOn = generation === state.generation && canGoOn(state, error as Error)
    }
  }
  if (generation === state.generation) state.running--
}

/** Anything but a request that simply expired ends this pump; the watchdog notices the silence and renews it. */
function canGoOn({ options, streams }: PublishState, { message }: Error): boolean {
  if (/BadNoSubscription/.test(message)) {
    if (streams.size > 0) options.onFault('subscription-ended')
    return false
  }
  if (/BadSession|BadSecureChannelIdInvalid/.test(message)) {
    options.onFault('session-ended')
    return false
  }
  return /BadTimeout|BadRequestTimeout/.test(message)
}

function receive(state: PublishState, subscription: number, message: Message): void {
  const stream = state.streams.get(subscription)
  if (!stream) return
  state.options.onSign(subscription)
  if (stream.held) stream.held.push(message)
  else take(state, stream, message)
}

/** Distance from one sequence number to another, which wrap at 2^32. */
const ahead = (from: number, to: number) => ((to - from + UINT32 + UINT32 / 2) % UINT32) - UINT32 / 2

function take(state: PublishState, stream: Stream, message: Message): void {
  const distance = stream.next === undefined ? 0 : ahead(stream.next, message.sequence)
  if (distance > 0) return void closeHole(state, stream, message)
  if (message.isKeepAlive) return
  acknowledge(state, stream, message)
  // A message that was fetched already arrives after all.
  if (distance < 0) return
  accept(state, stream, message)
}

function acknowledge(state: PublishState, { subscription }: Stream, { sequence }: Message): void {
  state.acknowledgements.push({ subscription, sequence })
}

/** 0 stays free when the numbers wrap, Part 4, 7.37. */
function accept({ options }: PublishState, stream: Stream, message: Message): void {
  stream.next = message.sequence + 1 === UINT32 ? 1 : message.sequence + 1
  options.onMessage(message)
  if (message.ended !== undefined) options.onFault('subscription-ended')
}

/** Fetches what lies between the last message and this one; what came meanwhile waits. */
async function closeHole(state: PublishState, stream: Stream, message: Message): Promise<void> {
  stream.held = [message]
  await fill(state, stream, message.sequence).catch(() => undefined)
  if (state.streams.has(stream.subscription) && ahead(stream.next ?? 0, message.sequence) > 0) {
    state.options.onFault('missed')
    stream.next = message.sequence
  }
  release(state, stream)
}

/** Takes what waited while a hole was filled. */
function release(state: PublishState, stream: Stream): void {
  const held = stream.held ?? []
  stream.held = undefined
  if (!state.streams.has(stream.subscription)) return
  for (const [i, message] of held.entries()) {
    // Another hole: the rest waits for it.
    if (holdBack(stream, held, i)) return
    take(state, stream, message)
  }
}

function holdBack(stream: Stream, messages: readonly Message[], from: number): boolean {
  stream.held?.push(...messages.slice(from))
  return stream.held !== undefined
}

async function fill(state: PublishState, stream: Stream, until: number): Promise<void> {
  for (let count = 0; count < MOST_MISSED; count++) {
    const wanted = stream.next
    if (wanted === undefined || ahead(wanted, until) <= 0) return
    const message = await fetchOne(state, stream, wanted)
    if (!message) return
    acknowledge(state, stream, message)
    if (stream.next === wanted) accept(state, stream, message)
  }
}

async function fetchOne({ options }: PublishState, { subscription }: Stream, sequence: number) {
  try {
    return await options.session.republish(subscription, sequence)
  } catch (error) {
    if (/BadMessageNotAvailable/.test((error as Error).message)) return undefined
    throw error
  }
}
