import { join } from 'node:path'
import { type LossKind, NotConnectedError } from '../driver.ts'
import { nodeIdOf, withUri } from './address.ts'
import { checkOwn, keepCertificate } from './certificate.ts'
import { makeCertificate, type OpcuaSession, openSession } from './connection.ts'
import { readBack } from './history.ts'
import { diagnose, type Loss } from './loss.ts'
import type { Answer, CertificatesUntil, FromWorker, Request, ToWorker, WantedRange, WantedTag } from './messages.ts'
import { type PlannedItem, type PlannedSubscription, planItems } from './plan.ts'
import type { PublishFault } from './publishing.ts'
import { createReport, type Report } from './report.ts'
import { carryOut } from './requests.ts'
import { serverProfile } from './server-profile.ts'
import { createSubscriptions, type Subscriptions } from './subscriptions.ts'
import { judge, type Verdict } from './trust.ts'
import { createWatch, type Watch } from './watch.ts'

type Connect = Extract<ToWorker, { type: 'connect' }>

/** What a link tells of itself, without its name. */
type Told<T> = T extends { readonly link: string } ? Omit<T, 'link'> : never
export type LinkReport = Told<
  Extract<FromWorker, { type: 'samples' | 'interrupted' | 'overflow' | 'conditions' | 'past' | 'past-end' }>
>

/** Who hears of a link. */
export interface LinkListener {
  tell(report: LinkReport): void
  log(text: string): void
  /** The link ended by itself. Called at most once. */
  onLost(kind: LossKind, message: string): void
}

/** One connection with one server, for one device. */
export interface Link {
  /** Creates the items. The first report comes when every item has a value or a fault, or after a second. */
  subscribe(tags: readonly WantedTag[]): Promise<void>
  /** Reads the server's history of these tags and tells it as `past`. */
  readBack(ranges: readonly WantedRange[]): Promise<void>
  ask(request: Request): Promise<Answer>
  readonly certificatesUntil: CertificatesUntil | undefined
  /** When the server was last heard, ms since 1970. */
  heardAt(): number
  close(): Promise<void>
}

/** Connects to a server. Throws NotConnectedError with the kind of the fault. */
export async function openLink({ config, dataDir }: Connect, listener: LinkListener): Promise<Link> {
  const directory = join(dataDir, 'opcua')
  let verdict: Verdict | undefined
  const judgeServer = (der: Buffer): Verdict => {
    verdict = judge(der, { directory, url: config.url, mode: config.trust, now: Date.now() })
    return verdict
  }
  const ends = createEnds(listener, config.url)
  try {
    const own = await keepCertificate(directory, makeCertificate)
    const ownUntil = checkOwn(own, Date.now())
    const session = await openSession({
      config,
      own,
      judge: judgeServer,
      onLost: (reason) => ends.lost('closed', reason),
      onSessionEnd: () => ends.watch?.fault('session-ended'),
    })
    const until = serverUntil(verdict)
    const certificatesUntil = until === undefined ? undefined : { own: ownUntil, server: until }
    return { ...linkOver(session, config, { listener, ends }), certificatesUntil }
  } catch (error) {
    const loss = refusalIn(verdict) ?? (await diagnose(error as Error, config.url, config.timeoutMs))
    throw new NotConnectedError(loss.kind, `${config.url}: ${loss.why}`, { cause: error })
  }
}

const serverUntil = (verdict: Verdict | undefined) => (verdict?.isTrusted ? verdict.validUntil : undefined)
const refusalIn = (verdict: Verdict | undefined): Loss | undefined =>
  verdict && !verdict.isTrusted ? { kind: verdict.kind, why: verdict.reason } : undefined

/** The one place where a link ends by itself; what looks after its session is known once there is one. */
interface Ends {
  lost(kind: LossKind, reason: string): void
  watch?: Watch
}

function createEnds(listener: LinkListener, url: string): Ends {
  let isOver = false
  return {
    lost(kind, reason) {
      if (!isOver) listener.onLost(kind, `${url}: ${reason}`)
      isOver = true
    },
  }
}

interface Around {
  readonly listener: LinkListener
  readonly ends: Ends
}

function linkOver(session: OpcuaSession, config: Connect['config'], around: Around): Omit<Link, 'certificatesUntil'> {
  const { listener, ends } = around
  const openedAt = Date.now()
  let wanted: readonly WantedTag[] = []
  let subscriptions: Subscriptions | undefined
  const report = reportTo(listener)
  const now = () => subscriptions?.session() ?? session
  return {
    async subscribe(tags) {
      wanted = tags
      report.expect(tags.length)
      subscriptions = subscribeAll(session, { tags, config, report, around })
      await subscriptions.create()
      ends.watch?.start()
    },
    async readBack(ranges) {
      const nodes = ranges.flatMap((range) => {
        const address = wanted[range.index]?.address
        const nodeId = address && nodeIdOf(address, now().namespaces)
        return nodeId === undefined ? [] : [{ ...range, nodeId }]
      })
      const unfilled = await readBack(now(), nodes, (columns) => listener.tell({ type: 'past', columns }))
      listener.tell({ type: 'past-end', unfilled })
    },
    ask: (request) => carryOut(now(), request),
    heardAt: () => (subscriptions ? Date.now() - subscriptions.silentMs() : openedAt),
    async close() {
      ends.watch?.stop()
      report.end()
      subscriptions?.stop()
      await now().close()
    },
  }
}

function reportTo(listener: LinkListener): Report {
  const onSamples = (columns: Parameters<Parameters<typeof createReport>[0]['onSamples']>[0], isFirst: boolean) =>
    listener.tell({ type: 'samples', columns, isFirst })
  return createReport({ onSamples, onOverflow: (all) => listener.tell({ type: 'overflow', ...all }) }, Date.now)
}

interface Wanted {
  readonly tags: readonly WantedTag[]
  readonly config: Connect['config']
  readonly report: Report
  readonly around: Around
}

function subscribeAll(session: OpcuaSession, { tags, config, report, around }: Wanted): Subscriptions {
  const { listener, ends } = around
  const profile = serverProfile(config)
  const { subscriptions: plan, beyond } = planItems(itemsOf(session, tags, report), config.publishingMs, profile)
  for (const { index } of beyond) report.refused(index, `the server takes ${profile.maxItems} items and no more`)
  const interrupt = (why: string) => {
    report.flush()
    listener.tell({ type: 'interrupted', from: Date.now() - subscriptions.silentMs(), why })
  }
  const subscriptions = createSubscriptions({
    session,
    plan: withConditions(plan, config),
    onNoConditions: (status) => listener.log(`${config.url}: the server does not report its alarms (${status})`),
    monotonic: () => performance.now(),
    onMessage: ({ changes, conditions }) => {
      report.changes(changes)
      if (conditions.length === 0) return
      const { namespaces } = subscriptions.session()
      const named = conditions.map((one) => ({ ...one, condition: withUri(one.condition, namespaces) }))
      listener.tell({ type: 'conditions', conditions: named })
    },
    onRefused: ({ handle, nodeId }, status) => report.refused(handle, `${nodeId}: the server refuses it (${status})`),
    onFault: (fault: PublishFault) => {
      if (fault === 'missed') interrupt('a message of the server is missing')
      ends.watch?.fault(fault)
    },
    onRecreate: () => {
      interrupt('the subscription is made anew')
      report.expect(tags.length)
    },
  })
  ends.watch = createWatch({
    subscriptions,
    onHelped: (rung) => listener.log(`${config.url}: reports came back by '${rung}'`),
    onDead: () => ends.lost('silent', `no sign of life for ${Math.round(subscriptions.silentMs())} ms`),
  })
  return subscriptions
}

/** Without any item a subscription still tells whether the server lives; alarms are reported by one of their own. */
function withConditions(plan: readonly PlannedSubscription[], { alarms, publishingMs }: Connect['config']) {
  const own = { publishingMs: Math.max(publishingMs, CONDITIONS_MS), batches: [], hasConditions: true }
  if (alarms === 'server') return [...plan, own]
  return plan.length > 0 ? plan : [{ publishingMs, batches: [] }]
}

/** How often alarms are told, in ms. */
const CONDITIONS_MS = 250

/** The tags that the server can know; the others are told. A namespace may have another number in each session. */
function itemsOf({ namespaces }: OpcuaSession, tags: readonly WantedTag[], report: Report): PlannedItem[] {
  return tags.flatMap(({ address, everyMs }, index) => {
    const nodeId = nodeIdOf(address, namespaces)
    if (nodeId !== undefined) return [{ index, nodeId, everyMs, deadband: address.deadband }]
    report.refused(index, `${address.written}: the server has no such namespace`)
    return []
  })
}
