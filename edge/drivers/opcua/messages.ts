import type { LossKind, Sample } from '../driver.ts'
import type { OpcuaAddress } from './address.ts'
import type { OpcuaConfig } from './config.ts'

/** What the agent asks of the OPC UA process. `link` names one connection of one device and is never used again. */
export type ToWorker =
  | { readonly type: 'connect'; readonly link: string; readonly config: OpcuaConfig; readonly dataDir: string }
  | { readonly type: 'subscribe'; readonly link: string; readonly tags: readonly WantedTag[] }
  | { readonly type: 'close'; readonly link: string }

export interface WantedTag {
  readonly tag: string
  readonly address: OpcuaAddress
  readonly everyMs: number
}

/** What the OPC UA process tells. */
export type FromWorker =
  | { readonly type: 'connected'; readonly link: string }
  /** Also the answer to a connect or subscribe that failed. */
  | { readonly type: 'lost'; readonly link: string; readonly kind: LossKind; readonly message: string }
  /** The first one comes when the subscription stands, with the tags that the server refused. */
  | { readonly type: 'samples'; readonly link: string; readonly samples: Sample[] }
  | { readonly type: 'closed'; readonly link: string }
  | { readonly type: 'log'; readonly level: 'debug' | 'warn'; readonly text: string }
  /** Sent every second: a process that says nothing hangs. */
  | { readonly type: 'alive' }
