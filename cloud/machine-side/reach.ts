import { hostname } from 'node:os'
import type { Kysely } from 'kysely'
import { loadProfiles } from '#shared/config/profile.ts'
import type { Pipeline } from '../pipeline/index.ts'
import { committedEdges } from '../pipeline/remote/committed.ts'
import { openDirectory } from '../pipeline/remote/directory.ts'
import { localParts } from '../pipeline/remote/local-parts.ts'
import { routedPipeline } from '../pipeline/remote/router.ts'
import { openChannel, type SocketAddress } from '../pipeline/remote/socket.ts'
import { openFanOut } from '../platform/fanout/index.ts'
import type { ThreadOptions } from './start-thread.ts'

export type ReachOptions = Omit<ThreadOptions, 'metrics' | 'address' | 'signal'> &
  Partial<Pick<ThreadOptions, 'metrics'>>

/** The machine side of other processes, or of several of which this may be one. */
export interface Reached {
  readonly pipeline: Pipeline
  /** Resolves when the first of them has answered. */
  readonly ready: Promise<void>
}

/** A machine side of this machine that listens everywhere names it as others know it, which it may not know itself. */
const nearest = (address: SocketAddress): SocketAddress =>
  address.host === hostname() ? { ...address, host: '127.0.0.1' } : address

/**
 * Asks the processes that are the machine side now, each for its own edges; while there is none, questions are refused and
 * values are stale. Closing ends the ways to them.
 */
export async function reachMachineSide(options: ReachOptions): Promise<Reached> {
  const { config, db, secret, log, metrics } = options
  const profiles = loadProfiles(config.profilesDir)
  const directory = await openDirectory({ db: db.system as unknown as Kysely<never>, listen: db.listen, log })
  const fanOut = config.redisUrl === undefined ? undefined : await openFanOut(config.redisUrl, secret, log)
  const routed = routedPipeline({
    ...{ directory, profiles, fanOut, local: localParts(db, config.profilesDir) },
    open: (address) => openChannel(nearest(address), secret),
    committed: committedEdges(db, profiles, Date.now),
    ...(metrics ? { metrics } : {}),
  })
  const close = async () => {
    routed.leave()
    await directory.close()
    await fanOut?.close()
  }
  const pipeline = Object.defineProperty({ ...routed, close }, 'mqtt', { get: () => routed.mqtt, enumerable: true })
  return { pipeline, ready: routed.ready }
}
