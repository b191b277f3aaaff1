import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { AuthenticateError, Client, ConnectPacket } from 'aedes'
import type { EdgeRef } from '../contract.ts'
import { edgeOfUser, mayWill } from './admission.ts'
import { edgeOfNames } from './edge-uri.ts'
import type { Gate } from './gate.ts'
import type { Refuse } from './refusals.ts'
import type { SecretChecker } from './secret.ts'

/** CONNACK return codes of MQTT 3.1.1, 3.2.2.3. */
const UNAVAILABLE = 3
const BAD_CREDENTIALS = 4
const NOT_AUTHORISED = 5

/** An admitted client. */
export interface Session {
  readonly edge: EdgeRef
  /** `<group>/<edge>` */
  readonly key: string
}

export const keyOf = ({ group, edge }: EdgeRef): string => `${group}/${edge}`

/** Who is in, by client and by edge. */
export interface Guests {
  readonly sessions: WeakMap<Client, Session>
  readonly byEdge: Map<string, Client>
  /** All clients by client id, as the broker keeps them. */
  readonly byId: () => Readonly<Record<string, Client>>
}

export interface DoorOptions {
  readonly guests: Guests
  readonly gate: Gate
  readonly refuse: Refuse
  readonly secrets: SecretChecker
  /** The hash that a known edge's secret must fit; undefined for an unknown edge. */
  readonly secretHash: (edge: EdgeRef) => string | undefined
  /** True for the serial number of a certificate that was taken back, perhaps since the handshake. */
  readonly isRevoked?: ((serial: string) => boolean) | undefined
  /** Called when an edge is admitted whose will breaks the rules. */
  readonly onOddWill?: OnOddWill | undefined
}

/** Hears of an edge whose will is at QoS 0 or missing: its death may be missed. */
export type OnOddWill = (edge: EdgeRef, rule: 'will-qos-0' | 'no-will') => void

/** What a client shows. */
export interface Attempt {
  readonly packet: ConnectPacket | undefined
  readonly username: string | undefined
  readonly password: Buffer | undefined
}

/** Checks who connects; answers why not, or undefined when the client is in. */
export type Door = (client: Client, attempt: Attempt) => Promise<AuthenticateError | undefined>

/** Why a client is not let in: the reason that is counted and the CONNACK return code. */
interface Refusal {
  readonly reason: string
  readonly code: number
}

/** Makes the door: a client is an edge by its certificate, or by its user name and secret. */
export function openDoor(options: DoorOptions): Door {
  const { guests, refuse, onOddWill } = options
  return async (client, attempt) => {
    const address = (client.conn as Socket).remoteAddress ?? 'unknown'
    const found = await identify(options, client, attempt, address)
    const refusal = 'code' in found ? found : checkConnect(guests, client, found, attempt.packet)
    if (refusal) {
      const named = edgeOfUser(attempt.username)
      refuse(refusal.reason, named ? keyOf(named) : address, { address })
      return Object.assign(new Error(refusal.reason), { returnCode: refusal.code }) as AuthenticateError
    }
    const edge = found as EdgeRef
    noteWill(onOddWill, edge, attempt.packet?.will)
    takeIn(guests, client, edge)
    return undefined
  }
}

function noteWill(onOddWill: OnOddWill | undefined, edge: EdgeRef, will: ConnectPacket['will']): void {
  if (will?.qos !== 1) onOddWill?.(edge, will ? 'will-qos-0' : 'no-will')
}

async function identify(
  { secretHash, secrets, gate, isRevoked }: DoorOptions,
  client: Client,
  { username, password }: Attempt,
  address: string,
): Promise<EdgeRef | Refusal> {
  const named = edgeOfUser(username)
  const certified = certifiedEdge(client)
  if (certified && isRevoked?.(certified.serial)) return { reason: 'certificate-revoked', code: NOT_AUTHORISED }
  if (certified) return judgeCertificate(certified.edge, username, secretHash)
  if (!named) return { reason: 'no-edge-user-name', code: BAD_CREDENTIALS }
  const [secret, hash] = [String(password ?? ''), secretHash(named)]
  if (secrets.isProved(secret, hash)) return named
  // A neighbour behind the same address who is known to be right still gets in.
  if (gate.isSuspect(address)) return { reason: 'too-many-wrong-secrets', code: UNAVAILABLE }
  if (await secrets.check(secret, hash)) return named
  gate.fail(address)
  return { reason: 'unknown-edge-or-bad-secret', code: BAD_CREDENTIALS }
}

/** The edge of the client's certificate, which the listener has found good; `none` when it names no edge. */
function certifiedEdge(client: Client): { readonly edge: EdgeRef | 'none'; readonly serial: string } | undefined {
  const socket = client.conn
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  if (!certificate) return undefined
  return { edge: edgeOfNames(certificate.subjectAltName) ?? 'none', serial: certificate.serialNumber }
}

function judgeCertificate(
  edge: EdgeRef | 'none',
  username: string | undefined,
  secretHash: DoorOptions['secretHash'],
): EdgeRef | Refusal {
  if (edge === 'none') return { reason: 'certificate-of-no-edge', code: NOT_AUTHORISED }
  if (username && username !== keyOf(edge)) return { reason: 'certificate-of-another-edge', code: NOT_AUTHORISED }
  return secretHash(edge) === undefined ? { reason: 'unknown-edge', code: NOT_AUTHORISED } : edge
}

function checkConnect(
  guests: Guests,
  client: Client,
  edge: EdgeRef,
  packet: ConnectPacket | undefined,
): Refusal | undefined {
  if (!packet) return { reason: 'no-connect', code: NOT_AUTHORISED }
  if (!mayWill(edge, packet.will)) return { reason: 'will-not-allowed', code: NOT_AUTHORISED }
  if (!packet.clean) return { reason: 'persistent-session', code: NOT_AUTHORISED }
  return isTaken(guests, client, edge) ? { reason: 'client-id-of-another-edge', code: NOT_AUTHORISED } : undefined
}

/** MQTT closes the older client of the same id, so an edge must not take another edge's. */
function isTaken({ sessions, byId }: Guests, client: Client, edge: EdgeRef): boolean {
  const other = byId()[client.id]
  const owner = other && sessions.get(other)
  return owner !== undefined && owner.key !== keyOf(edge)
}

/** One connection an edge, the newest: two would mix their sequence numbers. Closing publishes the older one's will. */
function takeIn({ sessions, byEdge }: Guests, client: Client, edge: EdgeRef): void {
  const key = keyOf(edge)
  sessions.set(client, { edge, key })
  byEdge.get(key)?.close()
  byEdge.set(key, client)
}
