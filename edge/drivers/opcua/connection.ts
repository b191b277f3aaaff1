/** The only file that knows the OPC UA library. It runs in the worker process alone. */
import { hostname } from 'node:os'
import {
  AttributeIds,
  type ClientMonitoredItemBase,
  type ClientSession,
  type ClientSubscription,
  crypto_utils,
  type DataValue,
  MessageSecurityMode,
  OPCUAClient,
  SecurityPolicy,
  StatusCodes,
  setErrorLogger,
  setWarningLogger,
  TimestampsToReturn,
  type UserIdentityInfo,
  UserTokenType,
  VariantArrayType,
} from 'node-opcua-client'
import type { OpcuaConfig } from './config.ts'
import type { RawValue } from './decode.ts'
import type { ItemBatch } from './plan.ts'
import type { Verdict } from './trust.ts'

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
  /** Called once when the session or the connection ends by itself. */
  readonly onLost: (reason: string) => void
}

/** One session with one server. */
export interface OpcuaSession {
  /** Namespace URIs by index, as of this session. */
  readonly namespaces: readonly string[]
  /** Creates the items of a batch; returns for each the reason why the server refuses it, or undefined. */
  monitor(batch: ItemBatch, onValue: (tag: string, value: RawValue) => void): Promise<(string | undefined)[]>
  /** Time since the server gave the last sign of life on the subscription, in ms, and the time after which that is too long. */
  silence(): { readonly forMs: number; readonly limitMs: number }
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

/** Keep-alives of the subscription after this many silent publishing intervals, at least one a second. */
const keepAliveCount = (publishingMs: number) => Math.max(3, Math.ceil(1000 / publishingMs))

/** Connects, checks the server's certificate, opens a session and an empty subscription. Throws the library's error. */
export async function openSession(options: OpenOptions): Promise<OpcuaSession> {
  const { config } = options
  const client = createClient(options)
  const abandon = () => client.disconnect().catch(() => undefined)
  try {
    await client.connect(config.url)
    const session = await client.createSession(identityOf(config))
    const namespaces = await session.readNamespaceArray()
    const subscription = await createSubscription(session, config)
    const life = watch({ client, session, subscription }, options.onLost)
    return {
      namespaces,
      monitor: (batch, onValue) => monitor(subscription, batch, onValue),
      silence: () => ({ forMs: life.silentMs(), limitMs: silenceLimit(subscription) }),
      close: async () => {
        life.end()
        await session.close(true).catch(() => undefined)
        await abandon()
      },
    }
  } catch (error) {
    await abandon()
    throw error
  }
}

function createClient({ config, own, judge }: OpenOptions): OPCUAClient {
  const isSecure = config.security !== 'None'
  return OPCUAClient.create({
    applicationName: 'Andon edge',
    applicationUri: own.applicationUri,
    certificateFile: own.certificateFile,
    privateKeyFile: own.privateKeyFile,
    clientCertificateManager: certificateStore(judge),
    securityMode: isSecure ? MessageSecurityMode.SignAndEncrypt : MessageSecurityMode.None,
    securityPolicy: isSecure ? SecurityPolicy.Basic256Sha256 : SecurityPolicy.None,
    endpointMustExist: false,
    // The supervisor of the agent is the only one that tries again.
    connectionStrategy: { maxRetry: 0, initialDelay: 100, maxDelay: 200 },
    transportTimeout: config.timeoutMs,
    defaultTransactionTimeout: config.timeoutMs,
    requestedSessionTimeout: 30_000,
    keepSessionAlive: false,
  })
}

/** The library's view of our own trust store: it asks here whether a certificate is good. */
function certificateStore(judge: (der: Buffer) => Verdict) {
  const first = (given: Uint8Array | readonly Uint8Array[]) =>
    Buffer.from((Array.isArray(given) ? given[0] : given) as Uint8Array)
  const check = async (given: Uint8Array | readonly Uint8Array[]) =>
    judge(first(given)).isTrusted ? StatusCodes.Good : StatusCodes.BadCertificateUntrusted
  return {
    referenceCounter: 0,
    initialize: async () => undefined,
    dispose: async () => undefined,
    checkCertificate: check,
    getTrustStatus: check,
    // Asked about our own certificate only, which need not be in our own trust list.
    verifyCertificate: async () => 'Good',
    trustCertificate: async () => undefined,
    rejectCertificate: async () => undefined,
    addIssuer: async () => undefined,
    addRevocationList: async () => undefined,
  }
}

function identityOf({ username, password }: OpcuaConfig): UserIdentityInfo {
  if (username === undefined) return { type: UserTokenType.Anonymous }
  return { type: UserTokenType.UserName, userName: username, password: password ?? '' }
}

function createSubscription(session: ClientSession, { publishingMs }: OpcuaConfig): Promise<ClientSubscription> {
  const maxKeepAliveCount = keepAliveCount(publishingMs)
  return session.createSubscription2({
    requestedPublishingInterval: publishingMs,
    requestedMaxKeepAliveCount: maxKeepAliveCount,
    requestedLifetimeCount: maxKeepAliveCount * 20,
    maxNotificationsPerPublish: 0,
    publishingEnabled: true,
    priority: 1,
  })
}

/** Three keep-alive intervals without any sign of life, and a second for the way. */
const silenceLimit = ({ publishingInterval, maxKeepAliveCount }: ClientSubscription) =>
  publishingInterval * maxKeepAliveCount * 3 + 1000

interface Watched {
  readonly client: OPCUAClient
  readonly session: ClientSession
  readonly subscription: ClientSubscription
}

/** Listens for everything that ends a session and tells of the first. */
function watch({ client, session, subscription }: Watched, onLost: (reason: string) => void) {
  let lastSignAt = performance.now()
  let isOver = false
  const lost = (reason: string) => {
    if (!isOver) onLost(reason)
    isOver = true
  }
  const sign = () => {
    lastSignAt = performance.now()
  }
  client.on('connection_lost', () => lost('the connection broke'))
  client.on('close', () => lost('the server closed the connection'))
  session.on('session_closed', () => lost('the server closed the session'))
  subscription.on('terminated', () => lost('the server ended the subscription'))
  subscription.on('status_changed', (status) => lost(`the subscription ended: ${status.name}`))
  subscription.on('internal_error', (error) => lost(`the subscription failed: ${error.message}`))
  subscription.on('error', (error) => lost(`the subscription failed: ${error.message}`))
  subscription.on('keepalive', sign)
  subscription.on('received_notifications', sign)
  return {
    silentMs: () => performance.now() - lastSignAt,
    end: () => {
      isOver = true
    },
  }
}

async function monitor(
  subscription: ClientSubscription,
  { items, samplingMs, queueSize }: ItemBatch,
  onValue: (tag: string, value: RawValue) => void,
): Promise<(string | undefined)[]> {
  const group = await subscription.monitorItems(
    items.map(({ nodeId }) => ({ nodeId, attributeId: AttributeIds.Value })),
    { samplingInterval: samplingMs, queueSize, discardOldest: true },
    TimestampsToReturn.Both,
  )
  group.on('changed', (_item: ClientMonitoredItemBase, value: DataValue, index: number) => {
    const item = items[index]
    if (item) onValue(item.tag, rawValue(value))
  })
  return group.monitoredItems.map(({ statusCode }) =>
    statusCode?.isGood() ? undefined : (statusCode?.name ?? 'no status'),
  )
}

function rawValue({ value, statusCode, sourceTimestamp, serverTimestamp }: DataValue): RawValue {
  const at = sourceTimestamp ?? serverTimestamp
  return {
    dataType: value?.dataType ?? 0,
    isArray: value !== undefined && value.arrayType !== VariantArrayType.Scalar,
    value: value?.value,
    status: statusCode.value,
    statusName: statusCode.name,
    sourceAt: at?.getTime(),
  }
}
