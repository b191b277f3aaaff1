import { hkdfSync } from 'node:crypto'
import type { Log } from '#shared/log/log.ts'
import type { FanOut } from './fanout.ts'
import { inProcessFanOut } from './in-process.ts'
import { redisFanOut } from './redis.ts'

export type { FanOut } from './fanout.ts'

/** Opens the fan-out that the settings name: Redis by REDIS_URL, else within this process. */
export async function openFanOut(url: string | undefined, secret: string, log: Log): Promise<FanOut> {
  if (url === undefined) return inProcessFanOut()
  return redisFanOut({ url, prefix: `andon:${installationOf(secret)}:`, log })
}

/** Names the installation without telling its secret. */
const installationOf = (secret: string): string =>
  Buffer.from(hkdfSync('sha256', secret, '', 'andon fan-out channels', 6)).toString('hex')
