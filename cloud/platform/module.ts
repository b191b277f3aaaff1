import type { Person } from '#shared/contracts/person.ts'
import type { Log } from '#shared/log/log.ts'
import type { Rule } from '#shared/policy/policy.ts'
import type { Database, Tx } from './database/database.ts'
import type { Door } from './door/door.ts'
import type { HttpApp } from './http/app.ts'
import type { Jobs, JobWorker } from './jobs/jobs.ts'
import type { Metrics } from './metrics/registry.ts'
import type { EventHandler } from './outbox/event.ts'
import type { TopicGuard } from './realtime/topics.ts'

export type { TopicGuard } from './realtime/topics.ts'

/** ms since 1970; hand-moved in tests. */
export type Clock = () => number

/** What the platform gives every module. */
export interface Platform {
  readonly db: Database
  readonly door: Door
  readonly jobs: Jobs
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Log
}

/** One noun of the suite. `cloud/suite/index.ts` wires them all: `suiteModules(deps: SuiteDeps): readonly Module[]`. */
export interface Module {
  readonly name: string
  /** Registers HTTP routes; each declares `config: { access }`. */
  routes?(app: HttpApp): void
  readonly handlers?: readonly EventHandler[]
  readonly workers?: readonly JobWorker[]
  /** What its commands and queries may ask of the policy. */
  readonly rules?: readonly Rule[]
  readonly topics?: readonly TopicGuard[]
  /** Id sets of the actor, read on every request: `{ departments: [...], channels: [...] }`. */
  relations?(tx: Tx, personId: string): Promise<Readonly<Record<string, Iterable<string>>>>
  /** Describes the signed-in person for `GET /api/session`; one module has it. */
  person?(tx: Tx, personId: string): Promise<Person | undefined>
  /** Runs once, after migrations and before handlers, workers and listening: seeds, caches. */
  start?(): Promise<void>
  /** What is wrong with it, in words for `/readyz`; empty when all is well. */
  faults?(): readonly string[]
  stop?(): Promise<void>
}
