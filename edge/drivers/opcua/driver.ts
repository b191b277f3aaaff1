import type { LossKind } from '../driver.ts'
import {
  NotConnectedError,
  type Sample,
  type SubscribedTag,
  type SubscribingDriver,
  type SubscriptionReports,
} from '../driver.ts'
import { type OpcuaAddress, parseOpcuaAddress } from './address.ts'
import { type Asking, createAsking } from './asking.ts'
import { unpack } from './columns.ts'
import type { OpcuaConfig } from './config.ts'
import type { CertificatesUntil, Request } from './messages.ts'
import { type Continuity, createContinuity, type Recovery } from './recovery.ts'
import type { LinkMessage, WorkerProcess } from './worker-process.ts'

export interface OpcuaDriverOptions {
  readonly device: string
  readonly config: OpcuaConfig
  readonly dataDir: string
  readonly worker: WorkerProcess
  /** Wall clock, ms since 1970. */
  readonly now: () => number
  /** Told whenever the link opens or ends, for the local page. */
  readonly onOpen: (isOpen: boolean, certificatesUntil?: CertificatesUntil) => void
}

/** What waits for a link's next word. */
interface Waiting {
  readonly type: 'connected' | 'closed' | 'end'
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

interface LinkState {
  readonly name: string
  readonly unlisten: () => void
  lost: NotConnectedError | undefined
  waiting: Waiting | undefined
  /** When the server was last heard over this link, ms since 1970. */
  heardAt: number
  onReport: ((message: LinkMessage) => void) | undefined
  readonly asking: Asking
  certificatesUntil: CertificatesUntil | undefined
}

/** What outlives a link: the subscribed tags, and what of them was received. */
interface Subscribed {
  readonly names: readonly string[]
  readonly continuity: Continuity
  /** A back-fill under way. */
  recovery: Recovery | undefined
}

/** How long the process may take over `timeoutMs` to say that it failed, and to say that it closed, in ms. */
const GRACE_MS = 3000
const CLOSE_MS = 2000
/** After this many links in a row that fell silent, the process itself is doubted. */
const SILENT_LINKS = 3
let links = 0

/** The driver with what only this folder asks of it. */
export interface OpcuaDriver extends SubscribingDriver<OpcuaAddress> {
  ask(request: Request, signal: AbortSignal): Promise<unknown>
}

/** Speaks OPC UA to one server, through the process that all OPC UA devices share. */
export function createOpcuaDriver(options: OpcuaDriverOptions): OpcuaDriver {
  let link: LinkState | undefined
  let subscribed: Subscribed | undefined
  const doubt = createDoubt(options.worker)
  return {
    kind: 'subscribing',
    parseAddress: parseOpcuaAddress,
    async connect(signal) {
      link = openLink(options)
      const { config, dataDir, worker } = options
      worker.send({ type: 'connect', link: link.name, config, dataDir })
      const late = () => worker.restart('it does not answer')
      // Loading the library on a busy box takes longer than any server may; a process that never gets there is ended.
      const since = worker.whenUp()
      await hear(link, 'connected', { signal, withinMs: config.timeoutMs * 2 + GRACE_MS, since, late })
      options.onOpen(true, link.certificatesUntil)
    },
    async subscribe(tags, reports, signal) {
      const open = standing(link, options)
      subscribed = continued(subscribed, [...tags.keys()])
      open.onReport = reporter({ ...options, name: open.name }, subscribed, reports)
      options.worker.send({ type: 'subscribe', link: open.name, tags: wanted(tags) })
      try {
        await hear(open, 'end', { signal })
      } catch (error) {
        interrupted(subscribed, open, reports)
        doubt.onLost((error as NotConnectedError).kind)
        throw error
      }
    },
    ask: async (request, signal) => standing(link, options).asking.ask(request, signal),
    async readNow(tag, address, signal) {
      const sample = (await standing(link, options).asking.ask({ kind: 'read', address }, signal)) as Sample
      return { sample: { ...sample, tag } }
    },
    async acknowledge(condition, eventId, comment, signal) {
      await standing(link, options).asking.ask({ kind: 'acknowledge', condition, eventId, comment }, signal)
    },
    async write(address, value, signal) {
      await standing(link, options).asking.ask({ kind: 'write', address, value }, signal)
    },
    async close() {
      const closing = link
      link = undefined
      if (!closing) return
      options.onOpen(false)
      closing.onReport = undefined
      if (!closing.lost) await closeLink(closing, options.worker)
      closing.unlisten()
    },
  }
}

function standing(link: LinkState | undefined, { config }: OpcuaDriverOptions): LinkState {
  if (!link || link.lost) throw new NotConnectedError('closed', `${config.url}: the link is not open`)
  return link
}

/** A process whose links fall silent one after the other, while it hears of no other server either, is ended. */
function createDoubt(worker: WorkerProcess) {
  let silent = 0
  return {
    onLost(kind: LossKind) {
      silent = kind === 'silent' ? silent + 1 : 0
      if (silent < SILENT_LINKS || worker.hearsAnyone()) return
      silent = 0
      worker.restart('its links fall silent')
    },
  }
}

/** The same tags as before keep what is known of them. */
function continued(before: Subscribed | undefined, names: readonly string[]): Subscribed {
  const isSame = before?.names.length === names.length && before.names.every((name, i) => name === names[i])
  return isSame ? before : { names, continuity: createContinuity(names.length), recovery: undefined }
}

function interrupted(subscribed: Subscribed, { heardAt }: LinkState, reports: SubscriptionReports): void {
  // Half of a back-fill is as good as none: what it was for stays visible as a gap.
  if (subscribed.recovery) reports.onMissed(missedOf(subscribed.recovery))
  subscribed.recovery = undefined
  subscribed.continuity.interrupt(heardAt)
}

const missedOf = ({ from, to }: Recovery) => ({ from, to, cause: 'device-silent' as const, count: 0 })

type Reporting = Pick<OpcuaDriverOptions, 'worker' | 'now'> & { readonly name: string }

/** Turns what a link tells into reports, and asks for the history of what may be missing. */
function reporter({ worker, now, name }: Reporting, subscribed: Subscribed, reports: SubscriptionReports) {
  const { names, continuity } = subscribed
  const onFirst = () => {
    const recovery = continuity.resume(now())
    if (!recovery) return
    if (subscribed.recovery) reports.onMissed(missedOf(subscribed.recovery))
    subscribed.recovery = recovery
    worker.send({ type: 'read-back', link: name, ranges: recovery.ranges })
  }
  return (message: LinkMessage) => {
    switch (message.type) {
      case 'samples':
        continuity.see(message.columns)
        reports.onSamples(unpack(message.columns, names))
        if (message.isFirst) onFirst()
        return
      case 'interrupted':
        return continuity.interrupt(message.from)
      case 'overflow':
        return reports.onMissed({ from: message.from, to: message.to, cause: 'queue-overflow', count: message.count })
      case 'conditions':
        return reports.onConditions([...message.conditions])
      case 'past':
        return reports.onPast(unpack(message.columns, names))
      case 'past-end':
        if (subscribed.recovery && message.unfilled.length > 0) reports.onMissed(missedOf(subscribed.recovery))
        subscribed.recovery = undefined
        return
      case 'connected':
      case 'answer':
      case 'closed':
      case 'lost':
    }
  }
}

function openLink({ device, worker, now }: OpcuaDriverOptions): LinkState {
  links++
  const name = `${device}#${links}`
  const state: LinkState = {
    name,
    unlisten: worker.listen(name, {
      onMessage: (message) => onMessage(state, message, now()),
      onHeard: (at) => {
        state.heardAt = Math.max(state.heardAt, at)
      },
    }),
    lost: undefined,
    waiting: undefined,
    heardAt: now(),
    onReport: undefined,
    certificatesUntil: undefined,
    asking: createAsking((id, request) => worker.send({ type: 'ask', link: name, id, request })),
  }
  return state
}

function onMessage(state: LinkState, message: LinkMessage, now: number): void {
  switch (message.type) {
    case 'lost':
      lose(state, new NotConnectedError(message.kind, message.message))
      break
    case 'answer':
      state.asking.answered(message.id, message.answer)
      break
    case 'connected':
      state.certificatesUntil = message.certificatesUntil
      heard(state, message.type)
      break
    case 'closed':
      heard(state, message.type)
      break
    case 'samples':
      state.heardAt = now
      state.onReport?.(message)
      break
    default:
      state.onReport?.(message)
  }
}

function lose(state: LinkState, error: NotConnectedError): void {
  state.lost ??= error
  state.waiting?.reject(state.lost)
  state.asking.lose(state.lost)
}

function heard({ waiting }: LinkState, type: Waiting['type']): void {
  if (waiting?.type === type) waiting.resolve()
}

interface Hearing {
  readonly signal?: AbortSignal
  readonly withinMs?: number
  /** The time runs from here on; at once unless told. */
  readonly since?: Promise<void>
  readonly late?: () => void
}

/** Resolves at the word that is waited for or when the signal aborts; throws when the link is lost or the time is over. */
function hear(state: LinkState, type: Waiting['type'], { signal, withinMs, since, late }: Hearing): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  state.waiting = { type, resolve, reject }
  const onLate = () => {
    reject(new NotConnectedError('connect-timeout', `No answer within ${withinMs} ms`))
    late?.()
  }
  let timer: NodeJS.Timeout | undefined
  let isHeard = false
  const startTimer = () => {
    if (withinMs !== undefined && !isHeard) timer = setTimeout(onLate, withinMs)
  }
  void Promise.resolve(since).then(startTimer)
  const onAbort = () => resolve()
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  if (state.lost) reject(state.lost)
  return promise.finally(() => {
    isHeard = true
    state.waiting = undefined
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  })
}

async function closeLink(state: LinkState, worker: WorkerProcess): Promise<void> {
  worker.send({ type: 'close', link: state.name })
  // A process that hangs must not keep the agent from trying again: its link is given up.
  await hear(state, 'closed', { withinMs: CLOSE_MS }).catch(() => undefined)
}

function wanted(tags: ReadonlyMap<string, SubscribedTag<OpcuaAddress>>) {
  return [...tags.values()].map(({ address, everyMs }) => ({ address, everyMs }))
}
