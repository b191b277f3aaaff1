import type { Static, TSchema } from 'typebox'
import type { PolicyResource } from '#shared/policy/policy.ts'
import type { Tx } from '../database/database.ts'
import type { JsonObject } from '../database/tables.ts'
import type { Actor } from './actor.ts'
import type { Inbox } from './inbox.ts'
import type { Records } from './records.ts'

/** A fact that a command tells. With a `recordId` it is also written to that record's activity. */
export interface Fact {
  readonly type: string
  readonly topics: readonly string[]
  readonly recordId?: string | undefined
  readonly data: JsonObject
  /** Unless told, the command's own cause. */
  readonly causeId?: string | undefined
}

/** What a command works with; everything it writes commits together. */
export interface CommandContext {
  readonly tx: Tx
  readonly actor: Actor
  readonly org: string
  /** The moment of the command, for every row that it writes. */
  readonly at: Date
  /** The first-out occurrence that it follows from, when the caller knows one. */
  readonly causeId: string | undefined
  /** Why, in the person's words. */
  readonly reason: string | undefined
  /** The revision that the caller saw (`If-Match`); hand it to `records.update`. */
  readonly ifRevision: number | undefined
  readonly records: Records
  readonly inbox: Inbox
  /** Writes the fact to the outbox and, with a record, to its activity. Returns the event's id. */
  emit(fact: Fact): Promise<string>
  /** Writes to a record's activity alone. */
  activity(recordId: string, type: string, data: JsonObject): Promise<void>
  /** Runs another command as part of this one: same transaction, own authorisation as the system. */
  run<I extends TSchema, R>(command: Command<I, R>, input: Static<I>): Promise<R>
}

/** One change that may be asked for. Wired once per module, handed to `door.execute`. */
export interface Command<I extends TSchema = TSchema, R = unknown> {
  /** `incident.accept`: told in the audit. */
  readonly name: string
  /** What the policy is asked; the name unless told. */
  readonly action?: string
  readonly input: I
  /** The input as the audit keeps it; leave out what is secret. The whole input unless told. */
  readonly audited?: (input: Static<I>) => JsonObject
  /** What the policy judges, read in the command's transaction (lock the row here). Throws DomainError `not-found`. */
  resource(context: CommandContext, input: Static<I>): PolicyResource | Promise<PolicyResource>
  /** Does it. Throws DomainError to refuse; the answer must survive JSON, since an idempotent repeat gets it from a row. */
  run(context: CommandContext, input: Static<I>): Promise<R>
}

/** Declares a command with its types inferred. */
export const defineCommand = <I extends TSchema, R>(command: Command<I, R>): Command<I, R> => command
