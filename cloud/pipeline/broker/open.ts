import type { Kysely } from 'kysely'
import type { Log } from '#shared/log/log.ts'
import type { EdgeRef, PipelineMetrics } from '../contract.ts'
import type { Broker } from './broker.ts'
import type { OnOddWill } from './door.ts'
import { startBroker } from './embedded.ts'
import { connectBroker } from './external.ts'
import type { ExternalAddress } from './external-connection.ts'
import type { HeldStateOptions } from './held-state.ts'
import type { BrokerLimits } from './limits.ts'
import type { TlsListener } from './listeners.ts'
import { type RevocationOptions, watchRevocations } from './revoked.ts'

/** Which broker the pipeline stands on. */
export interface MqttOptions {
  /** Where the embedded broker listens without TLS; port 0 picks a free one. */
  readonly host: string
  readonly port: number
  /** Its port with TLS. */
  readonly tls?: TlsListener | undefined
  readonly limits?: Partial<BrokerLimits> | undefined
  /** An external broker instead of the embedded one. */
  readonly external?: ExternalAddress | undefined
}

export interface OpenBrokerOptions extends MqttOptions, HeldStateOptions {
  readonly secretHash: (edge: EdgeRef) => string | undefined
  /** True for an edge that nobody registered; an external broker lets it send births all the same. */
  readonly isStranger: (edge: EdgeRef) => Promise<boolean>
  /** Called when the embedded broker admits an edge whose will breaks the rules. */
  readonly onOddWill?: OnOddWill
  /** Where it stands which certificates were taken back. */
  readonly system: Kysely<unknown>
  readonly listen: RevocationOptions['listen']
  readonly log: Log
  readonly metrics: PipelineMetrics
}

/** Starts the embedded broker or connects to the external one. @throws Error that names the setting when a port is taken. */
export async function openBroker(options: OpenBrokerOptions): Promise<Broker> {
  const { external: address, system, listen, ...embedded } = options
  if (address) return await connectBroker({ ...options, address })
  const { tls, log } = embedded
  if (!tls) return await startBroker(embedded)
  const at: { broker?: Broker } = {}
  // It drops who shows a certificate that was taken back, from that moment on.
  const onRevoked = (edge: EdgeRef) => at.broker?.disconnect(edge)
  const revocations = await watchRevocations({ db: system, listen, onRevoked, log })
  try {
    at.broker = await startBroker({ ...embedded, tls: { ...tls, isRevoked: revocations.isRevoked } })
  } catch (error) {
    await revocations.close()
    throw error
  }
  const close = async () => {
    await revocations.close()
    await at.broker?.close()
  }
  return { ...at.broker, close: once(close) }
}

/** Runs it the first time only; later callers wait for that. */
function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined
  return () => {
    closing ??= close()
    return closing
  }
}
