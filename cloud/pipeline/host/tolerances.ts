import type { EdgeFault } from '../contract.ts'
import type { EdgeShard } from '../shard/edge-shard.ts'
import type { HostContext } from './host-context.ts'

/** One way in which edges break the rules, with the clause (without `tck-id-`), and what the host makes of it. */
interface Rule {
  readonly clause: string
  /** For people: what the edge does, and what follows. */
  readonly words: string
}

/**
 * Every breach of the rules that the host puts up with. The names are public: they are the label `rule` of the metric
 * `andon_sparkplug_tolerances_total`.
 */
export const TOLERANCES = {
  'will-qos-0': {
    clause: 'payloads-ndeath-will-message-qos',
    words: 'its will is at QoS 0: its death may get lost, and its values stay fresh for as long',
  },
  'no-will': {
    clause: 'payloads-ndeath-will-message',
    words: 'it connects without a will: nobody tells when its connection breaks',
  },
  'datatype-in-data': {
    clause: 'payloads-metric-datatype-not-req',
    words: 'it repeats the datatype in data; the one of the birth counts, and commands to it carry one too',
  },
  'name-in-data': {
    clause: 'payloads-alias-data-cmd-requirement',
    words: 'it names metrics in data although they have an alias; the alias counts where both are given',
  },
  'rebirth-alias': {
    clause: 'operational-behavior-data-commands-rebirth-name-aliases',
    words: 'it gives Node Control/Rebirth an alias; the host asks by name all the same',
  },
  'no-rebirth-metric': {
    clause: 'payloads-nbirth-rebirth-req',
    words: 'its NBIRTH lacks Node Control/Rebirth; the host asks for rebirths all the same and may get none',
  },
  'births-out-of-time-order': {
    clause: 'operational-behavior-data-publish-dbirth-order',
    words: 'the times of its births go back; the order of arrival counts',
  },
  'missing-seq': {
    clause: 'payloads-sequence-num-always-included',
    words: 'it sends messages without a sequence number; lost ones cannot be noticed',
  },
  'nbirth-seq-not-zero': {
    clause: 'topics-nbirth-seq-num',
    words: 'its NBIRTH does not start the sequence at 0; it goes on from the number given',
  },
  'seq-out-of-range': {
    clause: 'payloads-sequence-num-incrementing',
    words: 'its sequence numbers go beyond 255; they are taken modulo 256',
  },
  'sequence-useless': {
    clause: 'payloads-sequence-num-incrementing',
    words: 'its sequence numbers do not follow each other even after rebirths; its messages are taken as they come',
  },
  'missing-timestamp': {
    clause: 'payloads-ddata-timestamp',
    words: 'it sends payloads without a time; the time of arrival counts',
  },
  'missing-metric-timestamp': {
    clause: 'payloads-name-birth-data-requirement',
    words: "it sends metrics without a time; the payload's counts",
  },
  'dbirth-before-nbirth': {
    clause: 'payloads-dbirth-order',
    words: 'it announces devices before itself; they are taken when its NBIRTH follows',
  },
  'missing-datatype': {
    clause: 'payloads-metric-datatype-req',
    words: 'its births name metrics without a datatype; these are left out',
  },
  'unknown-datatype': {
    clause: 'payloads-metric-datatype-value',
    words: 'its births name metrics of a datatype that Sparkplug does not have; these are left out',
  },
  'nbirth-without-bdseq': {
    clause: 'payloads-nbirth-bdseq',
    words: 'its NBIRTH lacks bdSeq; any of its deaths ends the session',
  },
  'bdseq-not-int64': {
    clause: 'message-flow-edge-node-birth-publish-nbirth-payload-bdSeq',
    words: 'its bdSeq is no Int64; the number counts whatever its type',
  },
  'ndeath-without-bdseq': {
    clause: 'payloads-ndeath-bdseq',
    words: 'its NDEATH lacks bdSeq; it is taken as the death of the present session',
  },
  'bdseq-by-alias': {
    clause: 'topics-ndeath-payload',
    words: 'its NDEATH carries bdSeq by alias; the alias of the NBIRTH tells it',
  },
  'alias-not-unique': {
    clause: 'payloads-alias-uniqueness',
    words: 'it gives one alias to several metrics; within a device the last one counts',
  },
} as const satisfies Readonly<Record<string, Rule>>

/** Name of a breach of the rules that the host puts up with. */
export type Tolerance = keyof typeof TOLERANCES

/** Notes that an edge broke a rule which the host puts up with: counted each time, told in the log once a session. */
export function tolerate(
  host: Pick<HostContext, 'clock' | 'log' | 'metrics'>,
  shard: EdgeShard,
  rule: Tolerance,
): void {
  host.metrics.count('sparkplug_tolerances_total', 1, { rule })
  const { tolerated, session, ref } = shard
  const before = tolerated.get(rule)
  tolerated.set(rule, host.clock())
  if (before !== undefined && before >= (session.connectedAt ?? 0)) return
  const { clause, words } = TOLERANCES[rule]
  host.log.info(
    { ...ref, rule, clause: `tck-id-${clause}`, words },
    'An edge breaks a rule of Sparkplug that is put up with',
  )
}

/** A will is seen a moment before the session that it belongs to. */
const BEFORE_BIRTH_MS = 10_000

/** What the edge breaks in its present session, for people. */
export function toleratedFaults({ tolerated, session, ref }: EdgeShard): EdgeFault[] {
  const since = (session.connectedAt ?? 0) - BEFORE_BIRTH_MS
  return [...tolerated]
    .filter(([, at]) => at >= since)
    .map(([rule]) => ({
      code: `sparkplug.${rule}`,
      params: { edge: `${ref.group}/${ref.edge}` },
      detail: `${ref.group}/${ref.edge} is tolerated, not conformant: ${TOLERANCES[rule].words}`,
    }))
}
