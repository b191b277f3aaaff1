import type { Kysely } from 'kysely'
import { livingMembers } from '../pipeline/lease/members.ts'
import { localParts } from '../pipeline/remote/local-parts.ts'
import { type RemotePipeline, remotePipeline } from '../pipeline/remote/remote.ts'
import { openChannel } from '../pipeline/remote/socket.ts'
import type { MachineThread, ThreadOptions } from './start-thread.ts'

/** Asks whichever process is the machine side now; while there is none, questions are refused and values are stale. */
export function reachMachineSide({ config, db, secret, metrics }: ThreadOptions): MachineThread {
  const local = localParts(db, config.profilesDir)
  const open = async () => {
    const [member] = await livingMembers(db.system as unknown as Kysely<never>)
    if (!member) throw new Error('No process is the machine side')
    return openChannel(member.address, secret)
  }
  const remote: RemotePipeline = remotePipeline({ open, local, metrics })
  const pipeline = withClose(remote)
  return { pipeline, failed: new Promise(() => undefined) }
}

/** It belongs to another process: closing ends the way to it. */
function withClose(remote: RemotePipeline): RemotePipeline {
  const close = async () => remote.leave()
  return Object.defineProperty({ ...remote, close }, 'mqtt', { get: () => remote.mqtt, enumerable: true })
}
