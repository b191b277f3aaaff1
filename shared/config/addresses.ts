import { isIP } from 'node:net'
import type { TSchema } from 'typebox'
import type { AddressUse } from '#shared/contracts/address.ts'
import type { Issue } from './check-value.ts'
import { type Fault, type Path, pathText } from './config-error.ts'
import { isRecord, type Schema } from './schema.ts'
import { readText, readYaml } from './yaml.ts'

/** Where something stands in a configuration file. */
export type Place = Pick<Fault, 'file' | 'line' | 'column' | 'path'>

/** A network address of a configuration file. */
export interface ConfiguredAddress {
  readonly use: AddressUse
  readonly host: string
  /** 0: any free one, of an address to listen on. */
  readonly port: number
  /** Where its owner stands in the document: `['devices', 2, 'modbus']`. */
  readonly path: Path
  readonly hostAt: Place
  /** The same as `hostAt` in a URL; the section's when the port is left to its default. */
  readonly portAt: Place
}

/** An address that was found in a value, before its place in the text is known. */
interface Found {
  readonly use: AddressUse
  readonly host: string
  readonly port: number
  readonly path: Path
  readonly hostPath: Path
  readonly portPath: Path
}

/**
 * Every address of a YAML file that its schema does not refuse already, in the order of the file. Other faults of the file
 * hinder nothing. Throws ConfigError when the file cannot be read or is no YAML.
 */
export const yamlAddresses = (file: string, schema: TSchema): ConfiguredAddress[] =>
  textAddresses(readText(file), file, schema)

/** As yamlAddresses(), of a text that stands in the place of `file`. */
export function textAddresses(text: string, file: string, schema: TSchema): ConfiguredAddress[] {
  const { value, issues, faultOf } = readYaml(text, file, schema)
  const placeOf = (path: Path): Place => {
    const { line, column } = faultOf({ path, expected: '', fix: '' })
    return {
      file,
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
      path: pathText(path),
    }
  }
  return collectAddresses(schema as Schema, value)
    .filter((found) => !issues.some((issue) => spoils(issue, found)))
    .map(({ hostPath, portPath, ...found }) => ({ ...found, hostAt: placeOf(hostPath), portAt: placeOf(portPath) }))
}

/** True for a fault of the address itself, and for a key beside it that was probably meant to be a part of it. */
function spoils({ path, nearest }: Issue, { path: owner, hostPath, portPath }: Found): boolean {
  const place = pathText(path)
  if ([hostPath, portPath].some((own) => pathText(own) === place)) return true
  return (nearest === 'host' || nearest === 'port') && pathText(path.slice(0, -1)) === pathText(owner)
}

/** Finds what a schema marks as an address. Pure; values that do not fit are passed over. */
export function collectAddresses(schema: Schema, value: unknown, path: Path = []): Found[] {
  const own = schema.address === undefined ? undefined : addressOf(schema.address, value, path)
  if (own) return [own]
  if (Array.isArray(value))
    return value.flatMap((item, i) => collectAddresses(itemSchema(schema, i), item, [...path, i]))
  if (!isRecord(value)) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const known = schema.properties?.[key]
    return known ? collectAddresses(known, inner, [...path, key]) : []
  })
}

const itemSchema = ({ items }: Schema, index: number): Schema =>
  (Array.isArray(items) ? (items as readonly Schema[])[index] : (items as Schema | undefined)) ?? {}

function addressOf(use: AddressUse, value: unknown, path: Path): Found | undefined {
  if (typeof value === 'string') return urlAddress(use, value, path)
  if (!isRecord(value) || typeof value.host !== 'string' || !isPort(value.port)) return undefined
  const { host, port } = value
  return { use, host, port, path, hostPath: [...path, 'host'], portPath: [...path, 'port'] }
}

const isPort = (port: unknown): port is number => Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535

const DEFAULT_PORTS: Readonly<Record<string, number>> = { mqtt: 1883, mqtts: 8883, 'opc.tcp': 4840 }
const URL_PARTS = /^([a-z.]+):\/\/(?:[^/@\s]*@)?(?:\[([^\]]+)\]|([^:/?]+))(?::(\d+))?/

function urlAddress(use: AddressUse, text: string, path: Path): Found | undefined {
  const [, scheme = '', v6, name, digits] = URL_PARTS.exec(text) ?? []
  const host = v6 ?? name
  const port = digits === undefined ? DEFAULT_PORTS[scheme] : Number(digits)
  if (host === undefined || port === undefined) return undefined
  return { use, host, port, path, hostPath: path, portPath: path }
}

/** `10.0.0.5:502`, `[::1]:502`. */
export const endpointText = (host: string, port: number): string =>
  isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
