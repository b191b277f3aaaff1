import type { LiveTagValue, Pipeline } from '../contract.ts'
import type { Reading } from './meter.ts'
import type { PackedError } from './packed-error.ts'

/** What can be asked over a channel; the rest of a pipeline is read from files and tables by whoever asks. */
export interface Calls
  extends Pick<Pipeline, 'edges' | 'devices' | 'tags' | 'tag' | 'registerEdge' | 'command' | 'faults'> {
  readonly buckets: Pipeline['history']['buckets']
  readonly raw: Pipeline['history']['raw']
  readonly last: Pipeline['history']['last']
  readonly retention: Pipeline['history']['retention']
  readonly present: Pipeline['live']['present']
  readonly organisationOf: Pipeline['live']['organisationOf']
  /** Closes the pipeline itself; only for the one who started it. */
  readonly close: Pipeline['close']
}
export type CallName = keyof Calls

/** Towards the pipeline. */
export type Question =
  | { readonly kind: 'call'; readonly id: number; readonly name: CallName; readonly args: readonly unknown[] }
  /** `isFanned`: the values come by the fan-out, not over this channel. */
  | { readonly kind: 'watch' | 'unwatch'; readonly paths: readonly string[]; readonly isFanned?: boolean }
  /** The last values are taken, the next may come. */
  | { readonly kind: 'more' }

/** From the pipeline. */
export type Answer =
  /** First of all; `instance` names the pipeline's life, which ends with its process. */
  | { readonly kind: 'hello'; readonly instance: string; readonly mqtt: Pipeline['mqtt'] }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: PackedError }
  | { readonly kind: 'values'; readonly values: readonly LiveTagValue[] }
  | { readonly kind: 'readings'; readonly readings: readonly Reading[] }
