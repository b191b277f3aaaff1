import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** What the demo keeps secret between its starts. */
export interface DemoSecrets {
  readonly password: string
  readonly edgeSecret: string
}

/** Reads the secrets file or makes it, readable by its owner alone. The first start's password stays: the accounts have it. */
export function keepSecrets(file: string, password: string | undefined): DemoSecrets {
  const kept: Partial<DemoSecrets> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const secrets = {
    password: kept.password ?? password ?? randomBytes(9).toString('base64url'),
    edgeSecret: kept.edgeSecret ?? randomBytes(24).toString('base64url'),
  }
  writeFileSync(file, `${JSON.stringify(secrets)}\n`, { mode: 0o600 })
  return secrets
}
