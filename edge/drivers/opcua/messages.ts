import type { Scalar } from '#shared/contracts/sample.ts'
import type { ConditionReport, LaneStatus, LossKind } from '../driver.ts'
import type { OpcuaAddress } from './address.ts'
import type { BrowseOptions } from './browse.ts'
import type { Columns } from './columns.ts'
import type { OpcuaConfig } from './config.ts'

/** What the agent asks of the OPC UA process. `link` names one connection of one device and is never used again. */
export type ToWorker =
  | { readonly type: 'connect'; readonly link: string; readonly config: OpcuaConfig; readonly dataDir: string }
  /** A tag's place in the list is its number from then on. */
  | { readonly type: 'subscribe'; readonly link: string; readonly tags: readonly WantedTag[] }
  | { readonly type: 'read-back'; readonly link: string; readonly ranges: readonly WantedRange[] }
  | { readonly type: 'ask'; readonly link: string; readonly id: number; readonly request: Request }
  | { readonly type: 'close'; readonly link: string }

/** Something asked of the server once, beside the subscription; answered under its id. */
export type Request =
  | { readonly kind: 'read'; readonly address: OpcuaAddress }
  | { readonly kind: 'acknowledge'; readonly condition: string; readonly eventId: Uint8Array; readonly comment: string }
  | { readonly kind: 'browse'; readonly options: BrowseOptions }
  | { readonly kind: 'write'; readonly address: OpcuaAddress; readonly value: Exclude<Scalar, null> }

/** `refused`: it was not done, for certain. `lost`: nobody knows. */
export type Answer =
  | { readonly outcome: 'done'; readonly value: unknown }
  | { readonly outcome: 'refused' | 'lost'; readonly message: string }

export interface WantedTag {
  readonly address: OpcuaAddress
  readonly everyMs: number
}

/** A stretch of a tag's history, bounds excluded; source times in ms. */
export interface WantedRange {
  readonly index: number
  readonly from: number
  readonly to: number
}

/** When the certificates of both sides expire, ms since 1970; a link without security has none. */
export type CertificatesUntil = NonNullable<LaneStatus['certificatesUntil']>

/** What the OPC UA process tells. */
export type FromWorker =
  | { readonly type: 'connected'; readonly link: string; readonly certificatesUntil?: CertificatesUntil }
  /** Also the answer to a connect or subscribe that failed. */
  | { readonly type: 'lost'; readonly link: string; readonly kind: LossKind; readonly message: string }
  /** `isFirst`: the subscriptions stand, and this holds what is known of every tag. */
  | { readonly type: 'samples'; readonly link: string; readonly columns: Columns; readonly isFirst: boolean }
  /** Changes since `from` (ms since 1970) may be missing; a first report follows when the subscriptions stand again. */
  | { readonly type: 'interrupted'; readonly link: string; readonly from: number; readonly why: string }
  /** Values were lost in the server's queues between these times. */
  | {
      readonly type: 'overflow'
      readonly link: string
      readonly from: number
      readonly to: number
      readonly count: number
    }
  | { readonly type: 'conditions'; readonly link: string; readonly conditions: readonly ConditionReport[] }
  | { readonly type: 'past'; readonly link: string; readonly columns: Columns }
  /** Nothing more comes; the history gave nothing of `unfilled`. */
  | { readonly type: 'past-end'; readonly link: string; readonly unfilled: readonly number[] }
  | { readonly type: 'answer'; readonly link: string; readonly id: number; readonly answer: Answer }
  | { readonly type: 'closed'; readonly link: string }
  | { readonly type: 'log'; readonly level: 'debug' | 'warn'; readonly text: string }
  /** Sent every second: a process that says nothing hangs. With it, when each link last heard of its server (ms since 1970). */
  | { readonly type: 'alive'; readonly heard: Readonly<Record<string, number>> }
