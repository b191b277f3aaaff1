import type { ProfileTag } from '#shared/contracts/device-profile.ts'
import { AddressError } from '../driver.ts'
import type { Deadband } from './plan.ts'

/** A node of an OPC UA server. The number of a namespace may change with each start of the server, its URI does not. */
export interface OpcuaAddress {
  readonly namespace: { readonly uri: string } | { readonly index: number }
  /** `i=7`, `s=Temperature`, `g=…` or `b=…`. */
  readonly identifier: string
  /** As the person wrote it. */
  readonly written: string
  /** Changes that the server need not tell, in its own unit. */
  readonly deadband?: Deadband
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Reads `nsu=urn:…;s=…`, `ns=2;s=…` or `i=2258`. Throws AddressError naming the tag. */
export function parseOpcuaAddress(profileTag: ProfileTag): OpcuaAddress {
  const deadband = deadbandFor(profileTag)
  return { ...parseNode(profileTag.tag, profileTag.address), ...(deadband ? { deadband } : {}) }
}

/** As parseOpcuaAddress, for a node that is no tag; `what` names it in an error. */
export function parseNode(what: string, written: string): OpcuaAddress {
  const match = /^(?:nsu=([^;]+);|ns=(\d{1,5});)?([isgb])=(.+)$/.exec(written)
  if (!match) fail(what, `'${written}' is not a node id; write nsu=urn:maker:device;s=Temperature or ns=2;i=7`)
  const [, uri, index = '0', kind = '', text = ''] = match
  checkIdentifier(what, kind, text)
  if (Number(index) > 65_535) fail(what, `namespace ${index} is beyond 65535`)
  return { namespace: uri === undefined ? { index: Number(index) } : { uri }, identifier: `${kind}=${text}`, written }
}

/** A node id of this session with the URI of its namespace, which stays when its number changes. */
export function withUri(nodeId: string, namespaces: readonly string[]): string {
  const [, index = '0', identifier = nodeId] = /^ns=(\d+);(.*)$/s.exec(nodeId) ?? []
  const uri = namespaces[Number(index)]
  return Number(index) === 0 || uri === undefined ? `ns=${index};${identifier}` : `nsu=${uri};${identifier}`
}

/**
 * The tag's deadband before scaling; percent of what the server calls its range when the profile has none. A swinging door
 * must see every change.
 */
function deadbandFor({ type, deadband, range, scale = 1 }: ProfileTag): Deadband | undefined {
  if (!deadband || deadband.swingingDoor || type === 'bit' || type === 'string' || scale === 0) return undefined
  if ('absolute' in deadband) return { absolute: deadband.absolute / Math.abs(scale) }
  if (!range) return { percent: deadband.percent }
  return { absolute: (Math.abs(range[1] - range[0]) * deadband.percent) / 100 / Math.abs(scale) }
}

function checkIdentifier(tag: string, kind: string, text: string): void {
  const isNumber = /^\d{1,10}$/.test(text) && Number(text) <= 0xffff_ffff
  if (kind === 'i' && !isNumber) fail(tag, `'${text}' is not a number of 32 bits`)
  if (kind === 'g' && !GUID.test(text)) fail(tag, `'${text}' is not a GUID`)
}

function fail(tag: string, what: string): never {
  throw new AddressError(`Tag '${tag}': ${what}`)
}

/** The node id for this session; undefined when the server does not have the namespace. */
export function nodeIdOf({ namespace, identifier }: OpcuaAddress, namespaces: readonly string[]): string | undefined {
  const index = 'uri' in namespace ? namespaces.indexOf(namespace.uri) : namespace.index
  return index < 0 ? undefined : `ns=${index};${identifier}`
}
