import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { checkEdgeFile } from '#edge/config.ts'
import {
  decide,
  type ListedCertificate,
  listCertificates,
  UnknownThumbprintError,
} from '#edge/drivers/opcua/trust-list.ts'
import { UsageError } from '../command.ts'

/** Lists the certificates of OPC UA servers, or decides on one. Resolves with the exit code. */
export async function certificates(args: readonly string[]): Promise<number> {
  const options = { config: { type: 'string' }, trust: { type: 'string' }, reject: { type: 'string' } } as const
  const { config, trust, reject } = parseArgs({ args: [...args], options }).values
  if (config === undefined) throw new UsageError('andon edge certificates needs --config FILE')
  if (trust !== undefined && reject !== undefined) throw new UsageError('give --trust or --reject, not both')
  const directory = join(resolve(dirname(config), checkEdgeFile(config).config.data), 'opcua')
  const [thumbprint, state] = trust === undefined ? [reject, 'rejected' as const] : [trust, 'trusted' as const]
  try {
    const shown = thumbprint === undefined ? listCertificates(directory) : [decide(directory, thumbprint, state)]
    process.stdout.write(shown.length === 0 ? 'no server has shown a certificate yet\n' : shown.map(line).join(''))
    return 0
  } catch (error) {
    if (!(error instanceof UnknownThumbprintError)) throw error
    process.stderr.write(`andon edge certificates: ${error.message}; without --trust it lists them\n`)
    return 1
  }
}

function line({ thumbprint, state, subject, validUntil }: ListedCertificate): string {
  const day = new Date(validUntil).toISOString().slice(0, 10)
  return `${state.padEnd(8)}  ${thumbprint}  until ${day}  ${subject}\n`
}
