import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { CloudError } from '#edge/management/cloud.ts'
import { enrolEdge } from '#edge/management/enrol.ts'
import { asCalled, isEdgePackage } from '#shared/own-files/own-files.ts'
import { UsageError } from '../command.ts'

/** Enrols and says what was kept where, and what comes next. */
export async function enroll(args: readonly string[]): Promise<number> {
  const options = { cloud: { type: 'string' }, code: { type: 'string' }, config: { type: 'string' } } as const
  const { cloud, code, config: file = 'edge.yaml' } = parseArgs({ args: withCode(args), options }).values
  if (cloud === undefined || code === undefined)
    throw new UsageError('andon edge enroll needs --cloud URL and --code CODE')
  if (!URL.canParse(cloud)) throw new UsageError(`--cloud is '${cloud}': give an address like https://andon.plant:8443`)
  try {
    const { group, edge, expiresAt, identityFile, isWritten, notes } = await enrolEdge({ cloud, code, file })
    const lines = [
      `${group}/${edge} is enrolled until ${expiresAt.toISOString().slice(0, 10)}; key and certificate are in ${identityFile}`,
      ...(isWritten ? [`${file} was written`] : notes.map((note) => `in ${file}: ${note}`)),
      `next: ${nextStep(file)}`,
    ]
    process.stdout.write(`${lines.join('\n')}\n`)
    return notes.length > 0 ? 1 : 0
  } catch (error) {
    if (!(error instanceof CloudError)) throw error
    process.stderr.write(`andon edge enroll: ${error.message} (${error.code})\n`)
    return 1
  }
}

/** A box that was installed from the archive has a service that runs the agent. */
const nextStep = (file: string): string =>
  isEdgePackage && existsSync('/run/systemd/system')
    ? 'sudo systemctl restart andon-edge'
    : asCalled(`andon edge --config ${file}`)

/** One code in 64 begins with a hyphen, and would be taken for an option. */
function withCode(args: readonly string[]): string[] {
  const at = args.indexOf('--code')
  const code = args[at + 1]
  return at < 0 || code === undefined ? [...args] : [...args.slice(0, at), `--code=${code}`, ...args.slice(at + 2)]
}
