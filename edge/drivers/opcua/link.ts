import { join } from 'node:path'
import { type LossKind, NotConnectedError, type Sample } from '../driver.ts'
import { nodeIdOf } from './address.ts'
import { keepCertificate } from './certificate.ts'
import { makeCertificate, type OpcuaSession, openSession } from './connection.ts'
import { type RawValue, sampleOf } from './decode.ts'
import { diagnose, type Loss } from './loss.ts'
import type { ToWorker, WantedTag } from './messages.ts'
import { type ItemBatch, planItems } from './plan.ts'
import { judge, type Verdict } from './trust.ts'

type Connect = Extract<ToWorker, { type: 'connect' }>

/** Who hears of a link. */
export interface LinkListener {
  onSamples(samples: Sample[]): void
  /** The link ended by itself. Called at most once. */
  onLost(kind: LossKind, message: string): void
}

/** One session with one server, for one device. */
export interface Link {
  /** Creates the items. The first onSamples comes when every item has a value or a fault, or after a second. */
  subscribe(tags: readonly WantedTag[]): Promise<void>
  close(): Promise<void>
}

/** How often the watchdog looks, in ms. */
const WATCHDOG_MS = 500
/** How long the first report waits for the slowest initial value, in ms. */
const FIRST_VALUES_MS = 1000

/** Connects to a server. Throws NotConnectedError with the kind of the fault. */
export async function openLink({ config, dataDir }: Connect, listener: LinkListener): Promise<Link> {
  const directory = join(dataDir, 'opcua')
  let refusal: string | undefined
  const judgeServer = (der: Buffer): Verdict => {
    const verdict = judge(der, { directory, url: config.url, mode: config.trust, now: Date.now() })
    if (!verdict.isTrusted) refusal = verdict.reason
    return verdict
  }
  const onLost = (reason: string) => listener.onLost('closed', `${config.url}: ${reason}`)
  try {
    const own = await keepCertificate(directory, makeCertificate)
    const session = await openSession({ config, own, judge: judgeServer, onLost })
    return linkOver(session, config, listener)
  } catch (error) {
    const loss: Loss =
      refusal === undefined
        ? await diagnose(error as Error, config.url, config.timeoutMs)
        : { kind: 'untrusted', why: refusal }
    throw new NotConnectedError(loss.kind, `${config.url}: ${loss.why}`, { cause: error })
  }
}

function linkOver(session: OpcuaSession, config: Connect['config'], listener: LinkListener): Link {
  const watchdog = setInterval(() => {
    const { forMs, limitMs } = session.silence()
    if (forMs < limitMs) return
    clearInterval(watchdog)
    listener.onLost('silent', `${config.url}: no sign of life for ${Math.round(forMs)} ms`)
  }, WATCHDOG_MS)
  const report = reporter(listener)
  return {
    async subscribe(tags) {
      report.expect(tags.map(({ tag }) => tag))
      const planned = tags.flatMap(({ tag, address, everyMs }) => {
        const nodeId = nodeIdOf(address, session.namespaces)
        if (nodeId !== undefined) return [{ tag, nodeId, everyMs }]
        report.refused(tag, `${address.written}: the server has no such namespace`)
        return []
      })
      // One request after the other: some servers answer parallel ones with errors.
      for (const batch of planItems(planned, config.publishingMs, config.batch)) await create(session, batch, report)
    },
    async close() {
      clearInterval(watchdog)
      report.end()
      await session.close()
    },
  }
}

async function create(session: OpcuaSession, batch: ItemBatch, report: Report): Promise<void> {
  const refusals = await session.monitor(batch, report.value)
  for (const [i, refusal] of refusals.entries()) {
    const item = batch.items[i]
    if (item && refusal !== undefined) report.refused(item.tag, `${item.nodeId}: the server refuses it (${refusal})`)
  }
}

interface Report {
  expect(tags: readonly string[]): void
  value(tag: string, value: RawValue): void
  refused(tag: string, reason: string): void
  end(): void
}

/** Gathers what comes in one turn into one report; holds the first one back until every tag has said something. */
function reporter(listener: LinkListener): Report {
  const awaited = new Set<string>()
  let gathered: Sample[] = []
  let isOpen = false
  let isPlanned = false
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    isPlanned = false
    const samples = gathered
    gathered = []
    if (samples.length > 0) listener.onSamples(samples)
  }
  const open = () => {
    clearTimeout(timer)
    isOpen = true
    flush()
  }
  const add = (sample: Sample) => {
    gathered.push(sample)
    awaited.delete(sample.tag)
    if (isOpen && !isPlanned) {
      isPlanned = true
      setImmediate(flush)
    }
    if (!isOpen && awaited.size === 0) open()
  }
  return {
    expect(tags) {
      for (const tag of tags) awaited.add(tag)
      timer = setTimeout(open, FIRST_VALUES_MS)
    },
    value: (tag, value) => add(sampleOf(tag, value, Date.now())),
    refused: (tag, reason) => add({ tag, value: null, quality: 0, sourceAt: Date.now(), reason }),
    end: () => clearTimeout(timer),
  }
}
