import { hostname } from 'node:os'
import type { Scalar } from '#shared/contracts/sample.ts'
import type { ConditionReport } from '../driver.ts'
import { type Browsed, type BrowseOptions, browse } from './browse.ts'
import { createClient, identityOf } from './client.ts'
import { conditionOf, conditionServices, type EventField } from './conditions.ts'
import type { OpcuaConfig } from './config.ts'
import type { WireValue } from './decode.ts'
import {
  AttributeIds,
  type ClientSession,
  type ClientSessionPublishService,
  type ClientSessionRawSubscriptionService,
  crypto_utils,
  DataChangeFilter,
  DataChangeTrigger,
  type DataValue,
  DeadbandType,
  type NotificationMessage,
  type OPCUAClient,
  PublishRequest,
  RepublishRequest,
  setErrorLogger,
  setWarningLogger,
  TimestampsToReturn,
} from './library.ts'
import type { Deadband, ItemRequest } from './plan.ts'
import type { Verdict } from './trust.ts'
import { valueServices, type WriteRefusal } from './values.ts'

export interface OwnCertificate {
  readonly certificateFile: string
  readonly privateKeyFile: string
  readonly applicationUri: string
}

export interface OpenOptions {
  readonly config: OpcuaConfig
  readonly own: OwnCertificate
  /** Judges the server's certificate. */
  readonly judge: (der: Buffer) => Verdict
  /** Called when the connection ends by itself. */
  readonly onLost: (reason: string) => void
  /** Called when the server ends a session. */
  readonly onSessionEnd: () => void
}

/** A subscription as the server granted it. */
export interface Granted {
  readonly id: number
  readonly publishingMs: number
  /** The server says that it lives after this many silent publishing intervals. */
  readonly keepAliveCount: number
}

export interface Change {
  readonly clientHandle: number
  readonly value: WireValue
}

/** One message of a subscription. Without changes, events and end it is a keep-alive, numbered as the next message will be. */
export interface Message {
  readonly sequence: number
  readonly isKeepAlive: boolean
  readonly changes: readonly Change[]
  readonly conditions: readonly ConditionReport[]
  /** Why the server ended the subscription. */
  readonly ended?: string
}

export interface Publication {
  readonly subscription: number
  readonly message: Message
}

export interface Acknowledged {
  readonly subscription: number
  readonly sequence: number
}

/** A stretch of a node's history, bounds excluded; ms since 1970. */
export interface HistoryRange {
  readonly nodeId: string
  readonly from: number
  readonly to: number
}

/** One page of a node's history; `next` asks for the rest. */
export interface HistoryPage {
  readonly values: readonly WireValue[]
  readonly next: Buffer | undefined
  /** Why the server gives none. */
  readonly refused: string | undefined
}

/** One session with one server. Every call rejects with the library's error, whose message names the status. */
export interface OpcuaSession {
  /** Namespace URIs by index, as of this session. */
  readonly namespaces: readonly string[]
  createSubscription(publishingMs: number): Promise<Granted>
  /** Deletes a subscription; one that is not there any more is no fault. */
  dropSubscription(id: number): Promise<void>
  /** Asks for the same parameters again, which revives a subscription, and switches publishing on. */
  modifySubscription(granted: Granted): Promise<void>
  /** Creates items in one request; for each the status by which the server refuses it, or undefined. */
  createItems(subscription: number, items: readonly ItemRequest[]): Promise<(string | undefined)[]>
  /** Waits for the next message of any subscription. */
  publish(acknowledged: readonly Acknowledged[], withinMs: number): Promise<Publication>
  /** A message that did not arrive. Rejects with BadMessageNotAvailable when the server has it no more. */
  republish(subscription: number, sequence: number): Promise<Message>
  /** Which of these nodes have a history that may be read. */
  withHistory(nodeIds: readonly string[]): Promise<boolean[]>
  readHistory(range: HistoryRange, next: Buffer | undefined): Promise<HistoryPage>
  readValue(nodeId: string): Promise<WireValue>
  /** Writes a value in the node's own type; resolves with why it was refused. Throws EncodeError when it does not fit. */
  writeValue(nodeId: string, value: Exclude<Scalar, null>): Promise<WriteRefusal | undefined>
  /** What the address space holds, as tags. */
  browse(options: BrowseOptions): Promise<Browsed>
  watchConditions(subscription: number): Promise<string | undefined>
  acknowledge(condition: string, eventId: Uint8Array, comment: string): Promise<string | undefined>
  /** A new session over the same channel; this one is given up. */
  reopen(): Promise<OpcuaSession>
  close(): Promise<void>
}

/** Sends the library's own messages somewhere else than to the standard output. */
export function routeLibraryLogs(log: (level: 'debug' | 'warn', text: string) => void): void {
  setWarningLogger((...parts: unknown[]) => log('debug', parts.join(' ')))
  setErrorLogger((...parts: unknown[]) => log('warn', parts.join(' ')))
}

/** A key of 2048 bits and a certificate signed by itself, for ten years, as PEM. */
export async function makeCertificate(applicationUri: string): Promise<{ certificate: string; privateKey: string }> {
  const { privateKey } = await crypto_utils.generateKeyPair(2048)
  const { privPem } = await crypto_utils.privateKeyToPEM(privateKey)
  const { cert } = await crypto_utils.createSelfSignedCertificate({
    privateKey,
    subject: 'CN=Andon edge',
    applicationUri,
    dns: [hostname()],
    validity: 3650,
    purpose: crypto_utils.CertificatePurpose.ForApplication,
  })
  return { certificate: cert, privateKey: privPem }
}

/** Keep-alives of a subscription after this many silent publishing intervals, at least one a second. */
const keepAliveCount = (publishingMs: number) => Math.max(3, Math.ceil(1000 / publishingMs))

/** Connects, checks the server's certificate and opens a session. Throws the library's error. */
export async function openSession(options: OpenOptions): Promise<OpcuaSession> {
  const { config, onLost } = options
  const client = createClient(options)
  try {
    await client.connect(config.url)
    const session = await sessionOver(client, options)
    client.on('connection_lost', () => onLost('the connection broke'))
    client.on('close', () => onLost('the server closed the connection'))
    return session
  } catch (error) {
    await client.disconnect().catch(() => undefined)
    throw error
  }
}

/** A session with the services that the library keeps for its own subscriptions; ours watch over each message. */
export type Session = ClientSession &
  ClientSessionRawSubscriptionService &
  ClientSessionPublishService & { setPublishingMode(isEnabled: boolean, subscription: number): Promise<unknown> }

async function sessionOver(client: OPCUAClient, options: OpenOptions): Promise<OpcuaSession> {
  const session = (await client.createSession(identityOf(options.config))) as Session
  session.on('session_closed', () => options.onSessionEnd())
  const namespaces = await session.readNamespaceArray()
  return {
    namespaces,
    ...subscriptionServices(session),
    ...valueServices(session),
    ...conditionServices(session),
    browse: (browseOptions) => browse(session, namespaces, browseOptions),
    async reopen() {
      session.removeAllListeners('session_closed')
      // The server may not know this session any more: nobody waits for its farewell.
      session.close(true).catch(() => undefined)
      return sessionOver(client, options)
    },
    async close() {
      session.removeAllListeners('session_closed')
      client.removeAllListeners('connection_lost')
      client.removeAllListeners('close')
      await session.close(true).catch(() => undefined)
      await client.disconnect().catch(() => undefined)
    },
  }
}

function subscriptionServices(session: Session) {
  return {
    async createSubscription(publishingMs: number): Promise<Granted> {
      const response = await session.createSubscription({
        requestedPublishingInterval: publishingMs,
        requestedMaxKeepAliveCount: keepAliveCount(publishingMs),
        requestedLifetimeCount: keepAliveCount(publishingMs) * 20,
        maxNotificationsPerPublish: 0,
        publishingEnabled: true,
        priority: 1,
      })
      const { subscriptionId: id, revisedPublishingInterval, revisedMaxKeepAliveCount } = response
      return { id, publishingMs: revisedPublishingInterval, keepAliveCount: revisedMaxKeepAliveCount }
    },
    async dropSubscription(id: number) {
      const { promise, resolve } = Promise.withResolvers<void>()
      session.deleteSubscriptions({ subscriptionIds: [id] }, () => resolve())
      await promise
    },
    async modifySubscription({ id, publishingMs, keepAliveCount: count }: Granted) {
      await session.modifySubscription({
        subscriptionId: id,
        requestedPublishingInterval: publishingMs,
        requestedMaxKeepAliveCount: count,
        requestedLifetimeCount: count * 20,
        maxNotificationsPerPublish: 0,
        priority: 1,
      })
      await session.setPublishingMode(true, id)
    },
    async createItems(subscriptionId: number, items: readonly ItemRequest[]) {
      const { results } = await session.createMonitoredItems({
        subscriptionId,
        timestampsToReturn: TimestampsToReturn.Both,
        itemsToCreate: items.map(itemToCreate),
      })
      return items.map((_, i) => {
        const status = results?.[i]?.statusCode
        return status?.isGood() ? undefined : (status?.name ?? 'no status')
      })
    },
    publish: (acknowledged: readonly Acknowledged[], withinMs: number) => publish(session, acknowledged, withinMs),
    republish: (subscription: number, sequence: number) => republish(session, subscription, sequence),
  }
}

function itemToCreate({ handle, nodeId, samplingMs, queueSize, deadband }: ItemRequest) {
  return {
    itemToMonitor: { nodeId, attributeId: AttributeIds.Value },
    monitoringMode: 2,
    requestedParameters: {
      clientHandle: handle,
      samplingInterval: samplingMs,
      queueSize,
      discardOldest: true,
      ...(deadband ? { filter: filterOf(deadband) } : {}),
    },
  }
}

function filterOf(deadband: Deadband): DataChangeFilter {
  const isAbsolute = 'absolute' in deadband
  return new DataChangeFilter({
    trigger: DataChangeTrigger.StatusValue,
    deadbandType: isAbsolute ? DeadbandType.Absolute : DeadbandType.Percent,
    deadbandValue: isAbsolute ? deadband.absolute : deadband.percent,
  })
}

function publish(session: Session, acknowledged: readonly Acknowledged[], withinMs: number) {
  const { promise, resolve, reject } = Promise.withResolvers<Publication>()
  const subscriptionAcknowledgements = acknowledged.map(({ subscription, sequence }) => ({
    subscriptionId: subscription,
    sequenceNumber: sequence,
  }))
  const request = new PublishRequest({ requestHeader: { timeoutHint: withinMs }, subscriptionAcknowledgements })
  session.publish(request, (error, response) => {
    if (error || !response) return reject(error ?? new Error('no answer'))
    resolve({ subscription: response.subscriptionId, message: messageOf(response.notificationMessage) })
  })
  return promise
}

function republish(session: Session, subscriptionId: number, sequence: number): Promise<Message> {
  const { promise, resolve, reject } = Promise.withResolvers<Message>()
  const request = new RepublishRequest({ subscriptionId, retransmitSequenceNumber: sequence })
  session.republish(request, (error, response) => {
    if (error || !response) reject(error ?? new Error('no answer'))
    else resolve(messageOf(response.notificationMessage))
  })
  return promise
}

/** The parts of a notification that the library's types do not tell apart. */
interface NotificationParts {
  readonly monitoredItems?: readonly { readonly clientHandle: number; readonly value: DataValue }[] | null
  readonly status?: { readonly name: string }
  readonly events?: readonly { readonly eventFields?: readonly EventField[] | null }[] | null
}

function messageOf({ sequenceNumber, notificationData }: NotificationMessage): Message {
  const parts = (notificationData ?? []) as unknown as readonly (NotificationParts | null)[]
  const ended = parts.find((part) => part?.status !== undefined)?.status?.name
  const [first, ...rest] = parts.flatMap((part) => (part?.monitoredItems ? [part.monitoredItems] : []))
  const changes = rest.length === 0 ? (first ?? []) : [first ?? [], ...rest].flat()
  const events = parts.flatMap((part) => part?.events ?? [])
  const conditions = events.flatMap(({ eventFields }) => conditionOf(eventFields ?? []) ?? [])
  return {
    sequence: sequenceNumber,
    changes,
    conditions,
    isKeepAlive: parts.length === 0,
    ...(ended === undefined ? {} : { ended }),
  }
}
