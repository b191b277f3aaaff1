import type { Granted, Message, OpcuaSession } from './connection.ts'
import { createItems } from './items.ts'
import type { Rung } from './ladder.ts'
import type { ItemRequest, PlannedSubscription } from './plan.ts'
import { createPublishing, type PublishFault, type Publishing } from './publishing.ts'

export interface SubscriptionsOptions {
  readonly session: OpcuaSession
  readonly plan: readonly PlannedSubscription[]
  readonly onMessage: (message: Message) => void
  readonly onRefused: (item: ItemRequest, status: string) => void
  readonly onFault: (fault: PublishFault) => void
  /** The server does not report its alarms. */
  readonly onNoConditions: (status: string) => void
  /** The subscriptions are about to be made anew: what was reported until now has an end. */
  readonly onRecreate: () => void
  /** Clock that never jumps, ms. */
  readonly monotonic: () => number
}

/** All subscriptions of one device, with the means to bring them back. */
export interface Subscriptions {
  create(): Promise<void>
  readonly steps: Readonly<Record<Rung, () => Promise<void>>>
  /** Time since the subscription that is silent for the longest gave a sign, beyond what it may take, in ms; below 0 all is well. */
  overdueMs(): number
  /** Time since the last sign of the subscription that is silent for the longest, in ms. */
  silentMs(): number
  /** The longest that a subscription may be silent, in ms. */
  limitMs(): number
  awaitSign(withinMs: number): Promise<boolean>
  /** The session that works now. */
  session(): OpcuaSession
  stop(): void
}

interface Standing {
  readonly granted: Granted
  signAt: number
}

interface SubscriptionsState {
  readonly options: SubscriptionsOptions
  readonly standing: Map<number, Standing>
  readonly onSigns: Set<() => void>
  session: OpcuaSession
  publishing: Publishing
}

/** A second for the way of a sign of life. */
const WAY_MS = 1000

/** Nothing is created yet. */
export function createSubscriptions(options: SubscriptionsOptions): Subscriptions {
  const standing = new Map<number, Standing>()
  const state: SubscriptionsState = {
    options,
    standing,
    onSigns: new Set(),
    session: options.session,
    publishing: publishingOver(options.session, options, (id) => sign(state, id)),
  }
  const all = () => [...standing.values()]
  const silent = ({ signAt }: Standing) => options.monotonic() - signAt
  return {
    create: () => createAll(state),
    steps: stepsOf(state),
    overdueMs: () => Math.max(...all().map((one) => silent(one) - limitOf(one.granted))),
    silentMs: () => Math.max(0, ...all().map(silent)),
    limitMs: () => Math.max(WAY_MS, ...all().map(({ granted }) => limitOf(granted))),
    awaitSign: (withinMs) => awaitSign(state, withinMs),
    session: () => state.session,
    stop: () => state.publishing.stop(),
  }
}

/** Three keep-alive intervals without any sign of life. */
const limitOf = ({ publishingMs, keepAliveCount }: Granted) => publishingMs * keepAliveCount * 3 + WAY_MS

function publishingOver(session: OpcuaSession, options: SubscriptionsOptions, onSign: (id: number) => void) {
  const { onMessage, onFault } = options
  return createPublishing({ session, onMessage, onFault, onSign })
}

function sign({ standing, onSigns, options }: SubscriptionsState, id: number): void {
  const one = standing.get(id)
  if (!one) return
  one.signAt = options.monotonic()
  for (const onSign of onSigns) onSign()
}

async function createAll({ options, standing, session, publishing }: SubscriptionsState): Promise<void> {
  for (const planned of options.plan) {
    const granted = await session.createSubscription(planned.publishingMs)
    standing.set(granted.id, { granted, signAt: options.monotonic() })
    publishing.add(granted.id)
    await createItems(session, granted, planned, options.onRefused)
    if (!planned.hasConditions) continue
    const refused = await session.watchConditions(granted.id)
    if (refused !== undefined) options.onNoConditions(refused)
  }
}

function stepsOf(state: SubscriptionsState): Subscriptions['steps'] {
  return {
    async republish() {
      for (const id of state.standing.keys()) await state.publishing.fetchMissed(id)
      state.publishing.renew()
    },
    async modify() {
      for (const { granted } of state.standing.values()) await state.session.modifySubscription(granted)
      state.publishing.renew()
    },
    async recreate() {
      state.options.onRecreate()
      for (const id of state.standing.keys()) {
        state.publishing.remove(id)
        await state.session.dropSubscription(id)
      }
      state.standing.clear()
      await createAll(state)
      state.publishing.renew()
    },
    async 'new-session'() {
      state.options.onRecreate()
      state.publishing.stop()
      state.standing.clear()
      state.session = await state.session.reopen()
      state.publishing = publishingOver(state.session, state.options, (id) => sign(state, id))
      await createAll(state)
    },
  }
}

function awaitSign({ standing, onSigns, options }: SubscriptionsState, withinMs: number): Promise<boolean> {
  const since = options.monotonic()
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const look = () => {
    if (standing.size > 0 && [...standing.values()].every(({ signAt }) => signAt > since)) resolve(true)
  }
  const timer = setTimeout(() => resolve(false), withinMs)
  onSigns.add(look)
  return promise.finally(() => {
    clearTimeout(timer)
    onSigns.delete(look)
  })
}
