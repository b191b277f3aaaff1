import { endpointText, type Place } from '#shared/config/addresses.ts'
import type { Fault } from '#shared/config/config-error.ts'
import { PROBE_LIMIT_MS, type Trouble, type TroubleKind } from './probe.ts'

interface Words {
  readonly what: string
  readonly fix: string
}

const SECONDS = PROBE_LIMIT_MS / 1000

const WORDS: Readonly<Record<TroubleKind, Words>> = {
  'unknown-host': { what: 'this host name is not known', fix: 'correct the name, or write the IP address' },
  'silent-names': {
    what: 'this host name cannot be looked up: no name server answers',
    fix: 'check the DNS setting of this machine, or write the IP address',
  },
  refused: {
    what: 'nothing listens on that port (connection refused)',
    fix: 'check address and port, and that what should answer there is on and its protocol enabled',
  },
  'connect-timeout': {
    what: `no answer within ${SECONDS} s`,
    fix: 'check that the device is on, its cable, and that no firewall stands between',
  },
  unreachable: {
    what: 'there is no way to this address',
    fix: 'check the address, the cable, and the network settings of this machine',
  },
  foreign: {
    what: 'not an address of this machine',
    fix: 'write 127.0.0.1 for this machine alone, 0.0.0.0 for every network of it, or one of its own addresses',
  },
  other: { what: 'it cannot be used', fix: 'check the address' },
}

/** Where a person has to look: at the host when the name is wrong, at the port when nothing listens there. */
export function placeOf({ address, kind }: Trouble): Place {
  return kind === 'refused' || kind === 'connect-timeout' ? address.portAt : address.hostAt
}

/** An address that failed, as one more fault of its file. */
export function troubleFault(trouble: Trouble): Fault {
  const { address, kind, code } = trouble
  const { what, fix } = WORDS[kind]
  const isName = kind === 'unknown-host' || kind === 'silent-names'
  const isBare = isName || address.use === 'listen'
  const subject = isBare ? `'${address.host}'` : endpointText(address.host, address.port)
  const found = `${subject}: ${what}${kind === 'other' ? ` (${code})` : ''}`
  const expected = address.use === 'listen' ? 'an address to listen on' : 'an address that answers'
  return { ...placeOf(trouble), found, expected, fix }
}
