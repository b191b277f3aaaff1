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
  readonly log: Log
  readonly metrics: PipelineMetrics
}

/** Starts the embedded broker or connects to the external one. @throws Error that names the setting when a port is taken. */
export async function openBroker(options: OpenBrokerOptions): Promise<Broker> {
  const { external: address, ...embedded } = options
  return address ? await connectBroker({ ...options, address }) : await startBroker(embedded)
}
