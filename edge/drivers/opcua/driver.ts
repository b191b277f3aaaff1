import { NotConnectedError, type Sample, type SubscribedTag, type SubscribingDriver } from '../driver.ts'
import { type OpcuaAddress, parseOpcuaAddress } from './address.ts'
import type { OpcuaConfig } from './config.ts'
import type { LinkMessage, WorkerProcess } from './worker-process.ts'

export interface OpcuaDriverOptions {
  readonly device: string
  readonly config: OpcuaConfig
  readonly dataDir: string
  readonly worker: WorkerProcess
  /** Told whenever the link opens or ends, for the local page. */
  readonly onOpen: (isOpen: boolean) => void
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
  onSamples: ((samples: Sample[]) => void) | undefined
}

/** How long the process may take over `timeoutMs` to say that it failed, and to say that it closed, in ms. */
const GRACE_MS = 3000
const CLOSE_MS = 2000
let links = 0

/** Speaks OPC UA to one server, through the process that all OPC UA devices share. */
export function createOpcuaDriver(options: OpcuaDriverOptions): SubscribingDriver<OpcuaAddress> {
  let link: LinkState | undefined
  return {
    kind: 'subscribing',
    parseAddress: parseOpcuaAddress,
    async connect(signal) {
      link = openLink(options)
      const { config, dataDir, worker } = options
      worker.send({ type: 'connect', link: link.name, config, dataDir })
      await hear(link, 'connected', { signal, withinMs: config.timeoutMs * 2 + GRACE_MS })
      options.onOpen(true)
    },
    async subscribe(tags, onSamples, signal) {
      if (!link) throw new NotConnectedError('closed', `${options.config.url}: the link is not open`)
      link.onSamples = onSamples
      options.worker.send({ type: 'subscribe', link: link.name, tags: wanted(tags) })
      await hear(link, 'end', { signal })
    },
    async close() {
      const closing = link
      link = undefined
      if (!closing) return
      options.onOpen(false)
      closing.onSamples = undefined
      if (!closing.lost) await closeLink(closing, options.worker)
      closing.unlisten()
    },
  }
}

function openLink({ device, worker }: OpcuaDriverOptions): LinkState {
  links++
  const name = `${device}#${links}`
  const state: LinkState = {
    name,
    unlisten: worker.listen(name, (message) => onMessage(state, message)),
    lost: undefined,
    waiting: undefined,
    onSamples: undefined,
  }
  return state
}

function onMessage(state: LinkState, message: LinkMessage): void {
  const { waiting } = state
  if (message.type === 'samples') state.onSamples?.(message.samples)
  else if (message.type === 'lost') {
    state.lost ??= new NotConnectedError(message.kind, message.message)
    waiting?.reject(state.lost)
  } else if (waiting?.type === message.type) waiting.resolve()
}

/** Resolves at the word that is waited for or when the signal aborts; throws when the link is lost or the time is over. */
function hear(
  state: LinkState,
  type: Waiting['type'],
  { signal, withinMs }: { signal?: AbortSignal; withinMs?: number },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  state.waiting = { type, resolve, reject }
  const late = () => reject(new NotConnectedError('connect-timeout', `No answer within ${withinMs} ms`))
  const timer = withinMs === undefined ? undefined : setTimeout(late, withinMs)
  const onAbort = () => resolve()
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  if (state.lost) reject(state.lost)
  return promise.finally(() => {
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
  return [...tags].map(([tag, { address, everyMs }]) => ({ tag, address, everyMs }))
}
