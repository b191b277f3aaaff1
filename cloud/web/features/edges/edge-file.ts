import type { EdgeBroker } from '#shared/contracts/edge.ts'
import { isLoopback } from '#shared/contracts/loopback.ts'

/** What a group or an edge may be called; the edge agent reads no other name. */
export const isEdgeName = (text: string): boolean => text.length <= 64 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text)

interface Named {
  readonly group: string
  readonly edge: string
}

interface Reach {
  readonly username: string
  /** Where the console was opened: the box reaches the broker under the same name. */
  readonly host: string
  readonly broker: EdgeBroker
}

/** File of the root that the box trusts, beside its edge.yaml. */
const ROOT_FILE = './root.pem'

/** True when the box must know the root of the installation's own authority. */
export const needsRoot = ({ host, broker }: Omit<Reach, 'username'>): boolean =>
  usesTls(host, broker) && broker.rootFingerprint !== null

/** True when the box will find no port: the one with TLS is not open beyond the cloud's machine. */
export const cannotReach = ({ host, broker }: Omit<Reach, 'username'>): boolean =>
  usesTls(host, broker) && broker.isLocal

const usesTls = (host: string, { url, tlsPort }: EdgeBroker): boolean =>
  url === null && tlsPort !== null && !isLoopback(host)

function addressOf(host: string, broker: EdgeBroker): string {
  if (broker.url !== null) return broker.url
  return usesTls(host, broker) ? `mqtts://${host}:${broker.tlsPort}` : `mqtt://${host}:${broker.port}`
}

/** An edge.yaml for the box with one example device, to be changed to the real one. Beyond the cloud's machine it uses TLS. */
export function edgeFileOf({ group, edge }: Named, { username, host, broker }: Reach): string {
  return [
    'version: 1',
    `group: ${JSON.stringify(group)}`,
    `edge: ${JSON.stringify(edge)}`,
    'data: ./edge-data',
    'mqtt:',
    `  url: ${addressOf(host, broker)}`,
    `  username: ${JSON.stringify(username)}`,
    ...(needsRoot({ host, broker }) ? [`  caFile: ${ROOT_FILE}`] : []),
    'devices:',
    '  - device: meter-1',
    '    profile: energy-meter',
    '    modbus:',
    '      host: 192.168.1.17',
    '      port: 502',
    '      unit: 1',
    '',
  ].join('\n')
}

const COMMAND = 'ANDON_EDGE_SECRET=… npx andon edge --config edge.yaml'

/**
 * How the agent is started on the box; the dots stand for the secret. On the machine of the cloud its page leaves 8090 to the
 * edge of the demo.
 */
export const edgeCommandOf = (host: string): string => (isLoopback(host) ? `ANDON_EDGE_PORT=8091 ${COMMAND}` : COMMAND)

/** How the box gets the root from the console's own address; the fingerprint tells that it is the right one. */
export const rootCommandOf = (origin: string): string =>
  `curl -fo root.pem ${origin}/ca && openssl x509 -in root.pem -noout -fingerprint -sha256`

/** The line that enrols, on a box that was installed from the archive: its service has the file and the user. */
export const archiveCommandOf = (command: string): string =>
  command.replace(/^andon edge enroll/, 'sudo andon-edge enroll')

/** The same in a checkout. */
export const checkoutCommandOf = (command: string): string => `npx ${command}`

/** How the agent of the archive is started once it has enrolled. */
export const ARCHIVE_START = 'sudo systemctl restart andon-edge'

/** How an enrolled agent is started in a checkout. On the machine of the cloud its page leaves 8090 to the edge of the demo. */
export const startCommandOf = (host: string): string =>
  `${isLoopback(host) ? 'ANDON_EDGE_PORT=8091 ' : ''}npx andon edge --config edge.yaml`

/** The address of the cloud in the line that enrols. */
export const cloudOf = (command: string): string => /--cloud (\S+)/.exec(command)?.[1] ?? ''
