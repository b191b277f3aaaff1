import { verify, X509Certificate } from 'node:crypto'
import { ConfigError, type Fault, type Path } from '#shared/config/config-error.ts'
import { readYaml } from '#shared/config/yaml.ts'
import { configurationStatement } from '#shared/contracts/edge-configuration.ts'
import { type EdgeConfig, EdgeFile, edgeConfigOf } from '../config.ts'
import type { ConfigurationAsk } from '../uplink/index.ts'
import { hashOf } from './kept.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface DocumentCheck {
  readonly file: string
  readonly env: Environment
  readonly running: EdgeConfig
}

/** Every fault of a document that is to be edge.yaml of this box; nothing is opened or changed. */
export function documentFaults(document: string, { file, env, running }: DocumentCheck): readonly Fault[] {
  try {
    const next = edgeConfigOf(document, file, env)
    return [...changedNames(next, running, file), ...clearSecrets(document, file)]
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [...error.faults, ...clearSecrets(document, file)]
  }
}

/** What makes a box this one cannot be sent to it. */
function changedNames(next: EdgeConfig, running: EdgeConfig, file: string): Fault[] {
  return (['group', 'edge', 'data'] as const)
    .filter((key) => next[key] !== running[key])
    .map((path) => {
      const expected = `'${running[path]}', as on this box`
      const worded = { code: 'other-box', params: { key: path, own: running[path] } }
      const fix = 'change it at the box, with a new enrolment'
      return { file, path, found: `'${next[path]}'`, expected, fix, ...worded }
    })
}

/** A document is kept and shown in the cloud, so it only names secrets. */
export function clearSecrets(document: string, file: string): Fault[] {
  try {
    const { value, faultOf } = readYaml(document, file, EdgeFile)
    const expected = 'a reference to an environment variable, because documents are kept in the cloud'
    const fix = 'set the variable on the box and name it here, as README says for mqtt.password'
    return passwordsIn(value, []).map((path) =>
      faultOf({ path, found: 'a secret in the clear', expected, fix, code: 'clear-secret' }),
    )
  } catch (error) {
    if (error instanceof ConfigError) return []
    throw error
  }
}

function passwordsIn(value: unknown, path: Path): Path[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const own = [...path, Array.isArray(value) ? Number(key) : key]
    const isClear = key === 'password' && !(typeof inner === 'string' && /^\$\{\w+\}$/.test(inner))
    return isClear ? [own] : passwordsIn(inner, own)
  })
}

export interface Push {
  readonly ask: ConfigurationAsk
  readonly document: string
  readonly group: string
  readonly edge: string
  /** Root in PEM of the authority; undefined on a box that has not enrolled. */
  readonly root: string | undefined
  /** Hash of edge.yaml as it lies on the disk. */
  readonly present: string
}

/** Why a configuration is not taken: in English, and by which a screen words it. */
export interface Refusal {
  readonly error: string
  readonly code: string
}

/** Why a configuration is not taken, whatever it says; undefined when it may be. */
export function pushFault({ ask, document, group, edge, root, present }: Push): Refusal | undefined {
  if (root === undefined) {
    const error = 'This box has not enrolled, so it cannot know who sends this: andon edge enroll'
    return { error, code: 'push.not-enrolled' }
  }
  if (hashOf(document) !== ask.hash)
    return { error: 'The document is another than the hash says', code: 'push.other-document' }
  const { version, hash, replaces, signature } = ask
  const statement = configurationStatement({ group, edge, version, hash, replaces })
  const key = new X509Certificate(root).publicKey
  if (!verify('sha256', Buffer.from(statement), key, Buffer.from(signature, 'base64'))) {
    return { error: 'The signature is not that of the authority of this box', code: 'push.bad-signature' }
  }
  if (replaces === present) return undefined
  const error = `edge.yaml is another than the cloud thinks (${present.slice(0, 12)}): it was changed at the box. Look at it, then push again over it`
  return { error, code: 'push.changed-at-box' }
}
