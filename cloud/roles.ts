import type { Fault } from '#shared/config/config-error.ts'

/** The parts of the cloud; one process has them all unless told. */
export const ROLE_NAMES = ['broker', 'pipeline', 'web', 'worker'] as const
export type RoleName = (typeof ROLE_NAMES)[number]

type Environment = Readonly<Record<string, string | undefined>>

/** What keeps a process from having only some of the roles; empty for one that has all, or names one that does not exist. */
export function splitFaults(roles: readonly RoleName[], env: Environment): Fault[] {
  const isKnown = roles.every((role) => ROLE_NAMES.includes(role))
  if (!isKnown || new Set(roles).size === ROLE_NAMES.length) return []
  return [...brokerFaults(roles, Boolean(env.MQTT_URL)), ...sharedFaults(env)]
}

const fault = (path: string, found: string, expected: string, fix: string): Fault => ({
  ...{ file: path === 'roles' ? '--roles' : 'environment', path, found, expected, fix },
})

function brokerFaults(roles: readonly RoleName[], isExternal: boolean): Fault[] {
  const [broker, pipeline] = [roles.includes('broker'), roles.includes('pipeline')]
  if (pipeline && !broker && !isExternal) {
    const fix = 'add broker to the roles, or set MQTT_URL to an external one'
    return [fault('roles', 'pipeline without broker', 'both, or an external broker', fix)]
  }
  if (broker && !pipeline) {
    const fix = isExternal
      ? 'leave broker out: MQTT_URL names an external one'
      : 'add pipeline to the roles: the embedded broker works in its process'
    return [fault('roles', 'broker without pipeline', 'both in one process', fix)]
  }
  return []
}

/** What processes must have in common, because each would make its own. */
const SHARED = [
  ['DATABASE_URL', 'the PostgreSQL that all processes share', 'set DATABASE_URL, or leave --roles out'],
  ['ANDON_SECRET', 'the secret that all processes share', 'set ANDON_SECRET to the same text everywhere'],
] as const

const sharedFaults = (env: Environment): Fault[] =>
  SHARED.filter(([name]) => !env[name]).map(([name, expected, fix]) => fault(name, 'nothing', expected, fix))
