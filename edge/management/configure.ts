import { createPrivateKey, sign } from 'node:crypto'
import type { Fault } from '#shared/config/config-error.ts'
import { fetchStatement } from '#shared/contracts/edge-configuration.ts'
import type { EdgeConfig } from '../config.ts'
import type { CommandOutcome, ConfigurationAsk } from '../uplink/index.ts'
import { type Call, callCloud } from './cloud.ts'
import { readIdentity } from './identity.ts'
import { documentFaults, pushFault } from './judge.ts'
import { hashOf, type KeptConfiguration } from './kept.ts'

export interface ConfigureOptions {
  readonly file: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly running: EdgeConfig
  readonly kept: KeptConfiguration
  readonly redial?: Call['redial']
  readonly alive: () => readonly string[]
  /** Called once a new document lies in place; the answer leaves first. */
  readonly restart: () => void
}

/** Checks a configuration that the host sends, and takes it on trial unless only its faults are asked for. */
export async function configure(options: ConfigureOptions, ask: ConfigurationAsk): Promise<CommandOutcome> {
  const { file, env, running, kept } = options
  const document = ask.document ?? (await fetchDocument(running.data, ask.hash, options.redial))
  const faults = documentFaults(document, { file, env, running })
  if (faults.length > 0) return { status: 'refused', error: JSON.stringify({ faults: faults.map(told) }) }
  if (ask.isDryRun) return { status: 'done' }
  const { trial } = kept.state
  if (trial)
    return {
      ...{ status: 'refused', error: `Version ${trial.next.version} is on trial; wait until it has proved itself` },
      ...{ code: 'push.on-trial', params: { version: trial.next.version } },
    }
  const present = hashOf(kept.document())
  const { group, edge, data } = running
  const refusal = pushFault({ ask, document, group, edge, present, root: readIdentity(data)?.rootPem })
  if (refusal !== undefined) return { status: 'refused', ...refusal }
  const { version, hash, signature } = ask
  kept.apply(document, { next: { version, hash, signature }, before: present, alive: options.alive() })
  options.restart()
  return { status: 'done' }
}

const told = ({ line, column, path, found, expected, fix, code, params, accepts }: Fault) => ({
  ...{ line: line ?? null, column: column ?? null, path, found: found ?? null, expected, fix },
  ...{ code, params, accepts },
})

async function fetchDocument(data: string, hash: string, redial: Call['redial']): Promise<string> {
  const identity = readIdentity(data)
  if (!identity) throw new Error('A document of this length is fetched with the certificate of the box, which has none')
  const { certPem: certificate, keyPem, place, rootPem } = identity
  const statement = Buffer.from(fetchStatement({ hash, certificate }))
  const signature = sign('sha256', statement, createPrivateKey(keyPem)).toString('base64')
  const url = `${place.url}/api/edge-configuration-fetches`
  const body = { certificate, hash, signature }
  const { text } = await callCloud({ method: 'POST', url, roots: [rootPem], redial, body })
  return (JSON.parse(text) as { document: string }).document
}
