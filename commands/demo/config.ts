import { join, resolve } from 'node:path'
import { FASTEST, numberOption } from '../command.ts'

/** What the demo takes from its arguments and the environment. Ports are the product's own settings. */
export interface DemoConfig {
  readonly data: string
  readonly plant: string
  readonly speed: number
  readonly password: string | undefined
  readonly httpPort: number
  readonly httpsPort: number
  readonly mqttPort: number
  readonly mqttsPort: number
  readonly publicUrl: string | undefined
  /** Given to every child. */
  readonly env: Readonly<Record<string, string>>
}

export interface DemoArguments {
  readonly data?: string
  readonly plant?: string
  readonly speed?: string
}

const inherited = () =>
  Object.fromEntries(Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined))

function portOf(name: string, fallback: number): number {
  const text = process.env[name]
  if (text === undefined || text === '') return fallback
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`${name} is '${text}': a port is 0 to 65535`)
  return port
}

/** Reads the demo's settings. Throws UsageError for an option that is wrong, Error with the name of a setting that is. */
export function readDemoConfig(args: DemoArguments, root: string): DemoConfig {
  return {
    data: resolve(args.data ?? process.env.ANDON_DATA ?? join(root, '.andon')),
    plant: resolve(args.plant ?? join(root, 'devices/plants/module-factory.yaml')),
    speed: numberOption('speed', args.speed ?? '1', FASTEST),
    password: process.env.ANDON_DEMO_PASSWORD || undefined,
    httpPort: portOf('ANDON_HTTP_PORT', 8080),
    httpsPort: portOf('ANDON_HTTPS_PORT', process.env.ANDON_HTTP_PORT === '0' ? 0 : 8443),
    mqttPort: portOf('ANDON_MQTT_PORT', 1883),
    mqttsPort: portOf('ANDON_MQTTS_PORT', process.env.ANDON_MQTT_PORT === '0' ? 0 : 8883),
    publicUrl: process.env.ANDON_PUBLIC_URL || undefined,
    env: inherited(),
  }
}
