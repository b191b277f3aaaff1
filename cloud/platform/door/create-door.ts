import type { Static, TSchema } from 'typebox'
import { authorise, type Decision, type PolicyResource, type Rule } from '#shared/policy/policy.ts'
import { asJson, type Database, type Tx } from '../database/database.ts'
import type { JsonObject } from '../database/tables.ts'
import { DomainError } from '../errors.ts'
import { newId } from '../id.ts'
import { emit } from '../outbox/emit.ts'
import { type Actor, systemActor } from './actor.ts'
import { writeAudit } from './audit.ts'
import type { Command, CommandContext, Fact } from './command.ts'
import type { Door, ExecuteOptions } from './door.ts'
import { once } from './idempotency.ts'
import { inboxStore } from './inbox-store.ts'
import { recordStore } from './record-store.ts'
import { requireValid } from './validate.ts'

export interface DoorOptions {
  readonly db: Database
  /** ms since 1970 */
  readonly clock: () => number
  /** Every module's rules; read at each decision, so modules made after the door may still add theirs. */
  readonly rules: readonly Rule[]
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Makes the door. */
export function createDoor({ db, clock, rules }: DoorOptions): Door {
  const decide: Decide = (actor, action, resource) => authorise(rules, actor, action, resource)
  return {
    decide,
    authorise: (actor, action, resource) => void requireAllowed(decide(actor, action, resource)),
    async execute(command, actor, input, options = {}) {
      const work = { command, actor, input, options, at: new Date(clock()), decide }
      requireValid(command.input, input, command.name)
      if (options.tx) return within(options.tx, work)
      try {
        return await db.inOrg(actor.org, (tx) => within(tx, work))
      } catch (error) {
        if (error instanceof DomainError && error.kind === 'forbidden') await auditRefusal(db, work, error)
        throw error
      }
    },
  }
}

type Decide = (actor: Actor, action: string, resource: PolicyResource) => Decision

interface Work<I extends TSchema, R> {
  readonly command: Command<I, R>
  readonly actor: Actor
  readonly input: Static<I>
  readonly options: ExecuteOptions
  readonly at: Date
  readonly decide: Decide
}

function within<I extends TSchema, R>(tx: Tx, work: Work<I, R>): Promise<R> {
  const { command, actor, input, options, at } = work
  const key = options.idempotencyKey
  if (key === undefined) return perform(tx, work)
  return once(tx, { key, actor, command: command.name, input, at }, () => perform(tx, work))
}

async function perform<I extends TSchema, R>(tx: Tx, work: Work<I, R>): Promise<R> {
  const { command, actor, input, options, at, decide } = work
  const made: string[] = []
  const context = contextOf(tx, work, made)
  const resource = await command.resource(context, input)
  const { rule } = requireAllowed(decide(actor, command.action ?? command.name, resource))
  const answer = await command.run(context, input)
  await writeAudit(tx, {
    actor,
    at,
    command: command.name,
    outcome: 'done',
    rule,
    recordId: recordOf(resource) ?? made[0] ?? null,
    reason: options.reason,
    input: auditedInput(command, input),
  })
  return answer
}

function contextOf<I extends TSchema, R>(tx: Tx, work: Work<I, R>, made: string[]): CommandContext {
  const { actor, options, at } = work
  const { org } = actor
  const scope = { tx, org, at, causeId: options.causeId }
  const records = recordStore(scope)
  const context: CommandContext = {
    ...scope,
    actor,
    reason: options.reason,
    ifRevision: options.ifRevision,
    inbox: inboxStore({ ...scope, actorId: actor.id }),
    records: {
      ...records,
      async create(record) {
        const created = await records.create(record)
        made.push(created.id)
        return created
      },
    },
    activity: (recordId, type, data) => writeActivity(context, { type, topics: [], recordId, data }),
    emit: (fact) => tell(context, fact),
    run(command, input) {
      requireValid(command.input, input, command.name)
      const { reason, causeId } = options
      return perform(tx, { ...work, command, actor: systemActor(org), input, options: { reason, causeId } })
    },
  }
  return context
}

async function auditRefusal<I extends TSchema, R>(db: Database, work: Work<I, R>, error: DomainError): Promise<void> {
  const { command, actor, input, options, at } = work
  const entry = { actor, at, command: command.name, outcome: 'refused', rule: error.message, recordId: null } as const
  const told = { ...entry, reason: options.reason, input: auditedInput(command, input) }
  await db.inOrg(actor.org, (tx) => writeAudit(tx, told))
}

function requireAllowed(decision: Decision): Decision {
  if (!decision.isAllowed) throw new DomainError('forbidden', 'policy.denied', `Refused: ${decision.reason}`)
  return decision
}

function recordOf(resource: PolicyResource): string | undefined {
  const id = resource.id
  return typeof id === 'string' && UUID.test(id) ? id : undefined
}

function auditedInput<I extends TSchema, R>(command: Command<I, R>, input: Static<I>): JsonObject {
  return command.audited ? command.audited(input) : { ...(input as JsonObject) }
}

async function tell(context: CommandContext, fact: Fact): Promise<string> {
  const { tx, org, at } = context
  const causeId = fact.causeId ?? context.causeId
  const own = fact.recordId ? [`record:${fact.recordId}`] : []
  if (fact.recordId) await writeActivity(context, fact)
  return emit(tx, { ...fact, org, at, causeId, topics: [...new Set([...fact.topics, ...own])] })
}

async function writeActivity({ tx, org, at, actor, causeId }: CommandContext, fact: Fact): Promise<void> {
  if (!fact.recordId) return
  await tx
    .insertInto('activity')
    .values({
      id: newId(),
      org_id: org,
      record_id: fact.recordId,
      at,
      actor_kind: actor.kind,
      actor_id: actor.id,
      type: fact.type,
      cause_id: fact.causeId ?? causeId ?? null,
      data: asJson(fact.data),
    })
    .execute()
}
