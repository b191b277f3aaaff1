import type { Static, TSchema } from 'typebox'
import type { Decision, PolicyResource } from '#shared/policy/policy.ts'
import type { Tx } from '../database/database.ts'
import type { Actor } from './actor.ts'
import type { Command } from './command.ts'

export interface ExecuteOptions {
  /** Repeating the same key, actor and input answers the first result and changes nothing. */
  readonly idempotencyKey?: string | undefined
  readonly ifRevision?: number | undefined
  readonly reason?: string | undefined
  readonly causeId?: string | undefined
  /** Runs inside this transaction (an event handler's) instead of one of its own. */
  readonly tx?: Tx | undefined
}

/** The one way to change anything: command → authorise → validate → write, activity, outbox and audit in one transaction. */
export interface Door {
  /** Throws DomainError: `invalid` with every fault, `forbidden` with the rule, `not-found`, `stale`, `conflict`. */
  execute<I extends TSchema, R>(
    command: Command<I, R>,
    actor: Actor,
    input: Static<I>,
    options?: ExecuteOptions,
  ): Promise<R>
  /** What the policy says, for buttons and lists: nothing is changed or audited. */
  decide(actor: Actor, action: string, resource: PolicyResource): Decision
  /** Throws DomainError `forbidden`, naming the rule, when the policy says no. */
  authorise(actor: Actor, action: string, resource: PolicyResource): void
}
