import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Static, Type } from 'typebox'
import { ConfigError, type Fault } from '#shared/config/config-error.ts'
import { nearest } from '#shared/config/nearest.ts'
import { loadYaml } from '#shared/config/yaml.ts'
import { isLoopback } from '#shared/contracts/loopback.ts'
import { bindAddress, externalBroker, type TlsFiles, tlsFiles } from './mqtt-settings.ts'
import type { ExternalAddress } from './pipeline/broker/external-connection.ts'
import { BrokerLimits } from './pipeline/broker/limits.ts'
import { RetentionSettings, sameNumber } from './pipeline/historian/retention-classes.ts'
import { ROLE_NAMES, type RoleName, splitFaults } from './roles.ts'
import { LATER } from './settings.ts'

/** The file cloud.yaml: behaviour. Secrets and addresses are in the environment. */
export const CloudFile = Type.Object(
  {
    version: Type.Literal(1, { description: 'Form of this file.' }),
    profiles: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Directory of device profiles; else those that come with the product.',
      }),
    ),
    seed: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Organisation file that is imported at start; what exists stays as it is.',
      }),
    ),
    mqtt: Type.Optional(
      Type.Object(
        {
          limits: Type.Optional(
            Type.Partial(BrokerLimits, {
              additionalProperties: false,
              description: 'What one client, one address and all together may cost.',
            }),
          ),
        },
        { additionalProperties: false, description: 'The embedded MQTT broker.' },
      ),
    ),
    sparkplug: Type.Optional(
      Type.Object(
        {
          reorderTimeoutMs: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 60_000,
              description:
                'How long a message that came early waits for the missing one before a rebirth is asked for; 2000.',
            }),
          ),
        },
        { additionalProperties: false, description: 'The Sparkplug host.' },
      ),
    ),
    alarms: Type.Optional(
      Type.Object(
        {
          latePageMinutes: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 1440,
              description:
                'An alarm that samples show only after newer ones calls somebody while it is active and this young; 15.',
            }),
          ),
        },
        { additionalProperties: false, description: 'Whom alarms call, and when.' },
      ),
    ),
    history: Type.Optional(
      Type.Object(
        { retention: Type.Optional(RetentionSettings) },
        { additionalProperties: false, description: 'The embedded history.' },
      ),
    ),
    log: Type.Optional(Type.Enum(['debug', 'info', 'warn', 'error'], { description: 'What is told at least; info.' })),
  },
  { additionalProperties: false },
)
export type CloudFile = Static<typeof CloudFile>

/** Everything the cloud needs to know; frozen, paths absolute. */
export interface CloudConfig {
  readonly roles: readonly RoleName[]
  readonly dataDir: string
  /** Plain ports listen here: always loopback. */
  readonly host: '127.0.0.1'
  readonly httpPort: number
  /** Console and API with TLS. */
  readonly httpsPort: number
  readonly mqttPort: number
  /** MQTT with TLS. */
  readonly mqttsPort: number
  /** Where the ports with TLS listen. */
  readonly bind: string
  readonly tls: TlsFiles
  readonly mqttLimits: Partial<BrokerLimits>
  /** Undefined: the host's own. */
  readonly reorderMs: number | undefined
  /** Undefined: the suite's own. */
  readonly latePageMinutes: number | undefined
  /** How long history keeps tags, by class. */
  readonly retention: RetentionSettings
  /** Undefined: the embedded broker. */
  readonly mqttBroker: ExternalAddress | undefined
  /** Undefined: `http://localhost:<HTTP port>`. */
  readonly publicUrl: string | undefined
  /** Undefined: made and kept in the data directory. */
  readonly secret: string | undefined
  readonly databaseUrl: string | undefined
  /** InfluxDB or VictoriaMetrics; undefined: history is kept in the data directory. */
  readonly influx: InfluxSettings | undefined
  /** Fan-out between several machine sides and the consoles; undefined: within one process. */
  readonly redisUrl: string | undefined
  readonly profilesDir: string
  readonly seed: { readonly file: string; readonly password?: string; readonly edgeSecret?: string } | undefined
  readonly consoleDir: string
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
  /** What is set but changes nothing in this version, one line each. */
  readonly notes: readonly string[]
}

export interface InfluxSettings {
  readonly url: string
  readonly token: string | undefined
  readonly org: string | undefined
  readonly bucket: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

export interface CloudArguments {
  readonly file?: string | undefined
  readonly roles?: string | undefined
}

const root = fileURLToPath(new URL('..', import.meta.url))

/** Reads arguments, file and environment. Throws one ConfigError with every fault of all three. */
export function readCloudConfig(args: CloudArguments, env: Environment = process.env): CloudConfig {
  const faults: Fault[] = []
  const file = readFile(args.file, faults)
  const folder = args.file ? dirname(resolve(args.file)) : root
  const read = reader(env, faults)
  const roles = rolesOf(args.roles, faults)
  faults.push(...splitFaults(roles, env))
  const config: CloudConfig = {
    roles,
    dataDir: resolve(env.ANDON_DATA || '.andon/cloud'),
    host: '127.0.0.1',
    httpPort: read.port('ANDON_HTTP_PORT', 8080),
    // Who asks for a free port asks for two.
    httpsPort: read.port('ANDON_HTTPS_PORT', env.ANDON_HTTP_PORT === '0' ? 0 : 8443),
    mqttPort: read.port('ANDON_MQTT_PORT', 1883),
    mqttsPort: read.port('ANDON_MQTTS_PORT', env.ANDON_MQTT_PORT === '0' ? 0 : 8883),
    bind: bindAddress(env, read.fault),
    tls: tlsFiles(env, read.fault),
    mqttLimits: file.mqtt?.limits ?? {},
    reorderMs: file.sparkplug?.reorderTimeoutMs,
    latePageMinutes: file.alarms?.latePageMinutes,
    retention: retentionOf(file, faults),
    mqttBroker: externalBroker(env, read.fault),
    publicUrl: read.publicUrl(),
    secret: env.ANDON_SECRET || undefined,
    databaseUrl: read.databaseUrl(),
    influx: read.influx(),
    redisUrl: read.redisUrl(),
    profilesDir: file.profiles ? resolve(folder, file.profiles) : resolve(root, 'devices/profiles'),
    seed: seedOf(file, folder, env),
    consoleDir: resolve(root, 'cloud/web/dist'),
    logLevel: file.log ?? 'info',
    notes: notesOn(env, file),
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return Object.freeze(config)
}

function readFile(path: string | undefined, faults: Fault[]): CloudFile {
  if (path === undefined) return { version: 1 }
  try {
    return loadYaml(path, CloudFile)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    faults.push(...error.faults)
    return { version: 1 }
  }
}

function retentionOf({ history }: CloudFile, faults: Fault[]): RetentionSettings {
  const retention = history?.retention ?? {}
  const [one, other] = sameNumber(retention) ?? []
  if (one !== undefined) {
    const fix = `rename '${other}'`
    faults.push({
      file: 'cloud.yaml',
      path: 'history.retention',
      expected: `a name that history can tell from '${one}'`,
      fix,
    })
  }
  return retention
}

function rolesOf(text: string | undefined, faults: Fault[]): RoleName[] {
  if (text === undefined) return [...ROLE_NAMES]
  const wanted = text.split(',').map((name) => name.trim())
  for (const name of wanted.filter((n) => !ROLE_NAMES.includes(n as RoleName))) {
    const guess = nearest(name, ROLE_NAMES)
    const expected = `some of ${ROLE_NAMES.join(', ')}`
    const fix = guess ? `write '${guess}'` : 'leave --roles out to run all of them'
    faults.push({
      file: '--roles',
      path: 'roles',
      found: `'${name}'`,
      expected,
      fix,
      ...(guess ? { nearest: guess } : {}),
    })
  }
  return wanted as RoleName[]
}

function seedOf(file: CloudFile, folder: string, env: Environment): CloudConfig['seed'] {
  if (!file.seed) return undefined
  const password = env.ANDON_DEMO_PASSWORD
  const edgeSecret = env.ANDON_EDGE_SECRET
  return { file: resolve(folder, file.seed), ...(password ? { password } : {}), ...(edgeSecret ? { edgeSecret } : {}) }
}

/** Reads settings of the environment, each fault with the setting's name. */
function reader(env: Environment, faults: Fault[]) {
  const fault = (path: string, found: string, expected: string, fix: string) =>
    void faults.push({ file: 'environment', path, found, expected, fix })
  return {
    fault,
    port(name: string, fallback: number): number {
      const text = env[name]
      if (text === undefined || text === '') return fallback
      if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
      fault(name, `'${text}'`, 'a port from 0 to 65535', `set ${name} to a free port, or to 0 for any`)
      return fallback
    },
    publicUrl(): string | undefined {
      const text = env.ANDON_PUBLIC_URL
      if (!text) return undefined
      const url = URL.parse(text)
      const fix = 'set ANDON_PUBLIC_URL to an address like https://andon.example.com'
      if (!url || !['http:', 'https:'].includes(url.protocol)) {
        fault('ANDON_PUBLIC_URL', `'${text}'`, 'an http or https address', fix)
      } else if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
        fault('ANDON_PUBLIC_URL', `'${text}'`, 'https beyond this machine: passwords would travel in the clear', fix)
      }
      return url?.origin
    },
    databaseUrl(): string | undefined {
      const text = env.DATABASE_URL
      if (!text) return undefined
      const isRight = ['postgres:', 'postgresql:'].includes(URL.parse(text)?.protocol ?? '')
      const expected = 'an address like postgresql://user:password@host:5432/andon'
      if (!isRight)
        fault('DATABASE_URL', 'another form', expected, 'correct DATABASE_URL, or unset it for the embedded server')
      return text
    },
    redisUrl(): string | undefined {
      const text = env.REDIS_URL
      if (!text) return undefined
      const isRight = /^rediss?:\/\/[^/]/.test(text) && URL.canParse(text)
      const expected = 'an address like redis://user:password@redis:6379, or rediss:// for TLS'
      if (!isRight)
        fault('REDIS_URL', 'another form', expected, 'correct REDIS_URL, or unset it where one machine side works')
      return text
    },
    influx(): CloudConfig['influx'] {
      const { INFLUX_URL: url, INFLUX_TOKEN, INFLUX_ORG, INFLUX_BUCKET } = env
      if (!url) return undefined
      const expected = 'an address like http://influxdb:8086 or http://victoria-metrics:8428'
      if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
        fault('INFLUX_URL', 'another form', expected, 'correct INFLUX_URL, or unset it for the embedded history')
      return { url, token: INFLUX_TOKEN || undefined, org: INFLUX_ORG || undefined, bucket: INFLUX_BUCKET || undefined }
    },
  }
}

function notesOn(env: Environment, { history }: CloudFile): string[] {
  const notes = LATER.filter((name) => env[name]).map((name) => `${name} is set, but this version does not read it`)
  if (env.INFLUX_URL && history?.retention) {
    notes.push(
      'history.retention is set, but INFLUX_URL keeps history in an engine with retention of its own: set it there',
    )
  }
  const bind = env.ANDON_BIND
  if (bind && !isLoopback(bind)) {
    notes.push(`ANDON_BIND is ${bind}: HTTPS and MQTT with TLS listen there; the plain ports stay on loopback`)
  }
  return notes
}
