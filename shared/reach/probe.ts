import type { LookupAddress } from 'node:dns'
import { connect, createServer, isIP } from 'node:net'
import { type ConfiguredAddress, endpointText } from '#shared/config/addresses.ts'
import { type Lookup, systemLookup } from './lookup.ts'

/** Why an address cannot be reached, or cannot be listened on; each kind has its own next step. */
export type TroubleKind =
  | 'unknown-host'
  | 'silent-names'
  | 'refused'
  | 'connect-timeout'
  | 'unreachable'
  | 'foreign'
  | 'other'

/** An address of a configuration that did not stand the test. */
export interface Trouble {
  readonly address: ConfiguredAddress
  readonly kind: TroubleKind
  /** The system's own word for it: `ECONNREFUSED`. */
  readonly code: string
}

export interface ProbeOptions {
  /** How long a look-up, and then a connection, may take. */
  readonly limitMs: number
  readonly lookup: Lookup
}

/** Time limit of the product for each step, in ms. */
export const PROBE_LIMIT_MS = 2000
export const SYSTEM_PROBE: ProbeOptions = { limitMs: PROBE_LIMIT_MS, lookup: systemLookup }
/** So many connections are tried at once: a file with hundreds of dead devices is told within seconds. */
const AT_ONCE = 64

/**
 * Tries every address: looks its name up, then opens and closes a TCP connection, or, for one to listen on, binds a free port
 * of it. Resolves with those that failed, in the order given. Addresses that stand several times are tried once. Never rejects.
 */
export async function probe(addresses: readonly ConfiguredAddress[], options = SYSTEM_PROBE): Promise<Trouble[]> {
  const names = await resolveNames(addresses, options)
  const distinct = [...new Map(addresses.map((address) => [keyOf(address), address])).values()]
  const codes = new Map<string, string | undefined>()
  const work = distinct.values()
  const worker = async () => {
    for (const address of work)
      codes.set(keyOf(address), await tryOne(address, names.get(address.host), options.limitMs))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return addresses.flatMap((address) => {
    const code = codes.get(keyOf(address))
    return code === undefined ? [] : [{ address, kind: kindOf(code), code }]
  })
}

/** Listening is tried on a free port, whatever port is configured. */
const keyOf = ({ use, host, port }: ConfiguredAddress): string =>
  use === 'listen' ? `listen ${host}` : endpointText(host, port)

type Known = readonly LookupAddress[] | string

async function resolveNames(addresses: readonly ConfiguredAddress[], { lookup, limitMs }: ProbeOptions) {
  const hosts = [...new Set(addresses.map(({ host }) => host))]
  const answers = await lookup(
    hosts.filter((host) => isIP(host) === 0),
    limitMs,
  )
  const known = new Map<string, Known>(hosts.map((host) => [host, [{ address: host, family: isIP(host) }]]))
  for (const answer of answers) known.set(answer.host, 'code' in answer ? answer.code : answer.addresses)
  return known
}

/** Resolves with the code of the failure; with undefined when all is well. */
function tryOne(address: ConfiguredAddress, known: Known = 'ENOTFOUND', limitMs: number): Promise<string | undefined> {
  if (typeof known === 'string') return Promise.resolve(known)
  return address.use === 'listen' ? tryListen(known) : tryConnect(address, known, limitMs)
}

function tryConnect({ host, port }: ConfiguredAddress, known: readonly LookupAddress[], limitMs: number) {
  return new Promise<string | undefined>((resolve) => {
    const socket = connect({ host, port, lookup: (_host, _options, done) => done(null, [...known]) })
    const end = (code?: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(code)
    }
    const timer = setTimeout(() => end('ETIMEDOUT'), limitMs)
    socket.once('connect', () => end())
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  })
}

function tryListen([first]: readonly LookupAddress[]) {
  return new Promise<string | undefined>((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host: first?.address, port: 0 }, () => server.close(() => resolve(undefined)))
  })
}

const KINDS: Readonly<Record<string, TroubleKind>> = {
  ENOTFOUND: 'unknown-host',
  EAI_NODATA: 'unknown-host',
  EAI_NONAME: 'unknown-host',
  EAI_AGAIN: 'silent-names',
  ETIMEOUT: 'silent-names',
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'connect-timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'foreign',
  EAFNOSUPPORT: 'foreign',
}

const kindOf = (code: string): TroubleKind => KINDS[code] ?? 'other'
