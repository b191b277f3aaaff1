import { type TObject, type TString, Type } from 'typebox'

/**
 * Marks a schema as a network address, so that a tool can find every address of a file: an object with `host` and `port`,
 * or a text that is a URL. `connect`: somebody else answers there; `listen`: this machine is to answer there.
 */
export type AddressUse = 'connect' | 'listen'

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IPV4 = `${OCTET}(?:\\.${OCTET}){3}`
const IPV6 = '(?=[^:]*:[^:]*:)[\\da-fA-F:.]{2,45}'
const ZONE = '(?:%[\\w.-]{1,15})?'
const LABEL = '[\\p{L}\\p{N}_](?:[\\p{L}\\p{N}_-]{0,61}[\\p{L}\\p{N}_])?'
/** A name whose last part is a number would be an IPv4 address with a fault in it. */
const NAME = `(?!(?:[^.:/]*\\.)*\\d+\\.?(?:$|[:/]))${LABEL}(?:\\.${LABEL})*\\.?`
const PORT = '(?:6553[0-5]|655[0-2]\\d|65[0-4]\\d\\d|6[0-4]\\d{3}|[1-5]\\d{4}|[1-9]\\d{0,3})'

/** A host: its name (RFC 1123, also with letters of any language), IPv4 or IPv6 address. */
export const Host = (options: { readonly description: string; readonly default?: string }): TString =>
  Type.String({
    pattern: `^(?:${NAME}|${IPV4}|${IPV6}${ZONE})$`,
    maxLength: 253,
    words: 'text (a host name or an IP address)',
    ...options,
  })

/** A URL of some schemes with a host and, if written, a port from 1 to 65535: `mqtt://10.0.0.2:1883`. */
export function ServiceUrl(schemes: readonly string[], description: string): TString {
  const scheme = schemes.map((name) => name.replaceAll('.', '\\.')).join('|')
  const example = schemes.map((name) => `${name}://HOST:PORT`).join(' or ')
  return Type.String({
    pattern: `^(?:${scheme})://(?:[^/@\\s]*@)?(?:${NAME}|${IPV4}|\\[${IPV6}\\])(?::${PORT})?(?:[/?].*)?$`,
    words: `text (${example})`,
    address: 'connect' satisfies AddressUse,
    description,
  })
}

/** Marks an object with `host` and `port` as an address. */
export const withAddress = <S extends TObject>(schema: S, address: AddressUse): S => ({ ...schema, address }) as S
