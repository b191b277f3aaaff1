import type { OpcuaConfig } from './config.ts'
import type { OpenOptions } from './connection.ts'
import {
  MessageSecurityMode,
  OPCUAClient,
  SecurityPolicy,
  StatusCodes,
  type UserIdentityInfo,
  UserTokenType,
} from './library.ts'
import type { Verdict } from './trust.ts'

/** A client that connects once, to be asked about the server's certificate, and never tries again by itself. */
export function createClient({ config, own, judge }: OpenOptions): OPCUAClient {
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

/** Who the edge is to the server. */
export function identityOf({ username, password }: OpcuaConfig): UserIdentityInfo {
  if (username === undefined) return { type: UserTokenType.Anonymous }
  return { type: UserTokenType.UserName, userName: username, password: password ?? '' }
}
