import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { AddressSpace, Namespace, OPCUAServer, UAAlarmCondition, UAObject, UAVariable } from 'node-opcua'
import type { DeviceProfile, ProfileTag } from '#shared/contracts/device-profile.ts'
import type { Scalar } from '#shared/contracts/sample.ts'
import { addConditions, type ConditionState, conditionState, keepHistory } from './opcua-conditions.ts'
import { type OnSent, type ServedNode, watchNotifications } from './opcua-sent.ts'

/** Changes closer together than this are one notification, in ms. */
const COALESCED_MS = 20

/**
 * The server half of node-opcua. The package itself loads its client, its crypto tools and every nodeset too, which
 * costs 35 MB and 1.5 s; so the parts are taken from its own dependencies.
 */
function loadLibrary() {
  const own = createRequire(createRequire(import.meta.url).resolve('node-opcua'))
  return {
    ...(own('node-opcua-server') as Pick<typeof import('node-opcua'), 'OPCUAServer'>),
    ...(own('node-opcua-certificate-manager') as Pick<typeof import('node-opcua'), 'OPCUACertificateManager'>),
    ...(own('node-opcua-secure-channel') as Pick<
      typeof import('node-opcua'),
      'MessageSecurityMode' | 'SecurityPolicy'
    >),
    ...(own('node-opcua-variant') as Pick<typeof import('node-opcua'), 'DataType' | 'VariantArrayType'>),
    ...(own('node-opcua-status-code') as Pick<typeof import('node-opcua'), 'StatusCodes'>),
    ...(own('node-opcua-nodesets') as Pick<typeof import('node-opcua'), 'nodesets'>),
  }
}
type Library = ReturnType<typeof loadLibrary>

export interface OpcuaServerOptions {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** Certificates and keys are made here at the first start. */
  readonly dataDir: string
  readonly devices: readonly { readonly device: string; readonly profile: DeviceProfile }[]
  /** Values that stand before the first client can connect; those of other servers are skipped. */
  readonly initial: readonly {
    readonly device: string
    readonly tag: string
    readonly raw: Scalar
    readonly at: number
  }[]
  onWrite(device: string, tag: string, value: Scalar): void
  readonly onSent?: OnSent
  /** The limit alarms of the profiles are conditions of the server too, Part 9. */
  readonly hasConditions?: boolean
  /** What the nodes were is kept for HistoryRead. */
  readonly hasHistory?: boolean
}

export interface OpcuaSimulator {
  readonly port: number
  readonly url: string
  /** Serves a value from now on; `at` is its source time in ms since 1970. Null is served as BadNotSupported. */
  set(device: string, tag: string, raw: Scalar, at: number): void
  /** What the server says of a condition; undefined when it has none such. */
  condition(device: string, alarm: string): ConditionState | undefined
  close(): Promise<void>
}

/**
 * Serves OPC UA with Basic256Sha256 alone, signed and encrypted; client certificates are accepted on sight, since this
 * is a simulator. The address space comes from the profiles. Rejects when the port is taken.
 */
export async function serveOpcua(options: OpcuaServerOptions): Promise<OpcuaSimulator> {
  const library = loadLibrary()
  const server = new library.OPCUAServer(await serverOptions(options, library))
  await server.initialize()
  const { nodes: variables, conditions } = buildAddressSpace(server, options, library)
  const set: OpcuaSimulator['set'] = (device, tag, raw, at) => {
    const node = variables.get(`${device}/${tag}`)
    const status = raw === null ? library.StatusCodes.BadNotSupported : library.StatusCodes.Good
    node?.variable.setValueFromSource(variantOf(node.tag, raw, library), status, new Date(at))
  }
  if (options.onSent) watchNotifications(server, variables.values(), options.onSent)
  for (const { device, tag, raw, at } of options.initial) set(device, tag, raw, at)
  await server.start()
  const port = server.endpoints[0]?.port ?? options.port
  return {
    port,
    url: `opc.tcp://${options.host}:${port}`,
    set,
    condition(device, alarm) {
      const found = conditions.get(`${device}/${alarm}`)
      return found && conditionState(found)
    },
    close: () => server.shutdown(0),
  }
}

async function serverOptions({ host, port, dataDir }: OpcuaServerOptions, library: Library) {
  const pki = join(dataDir, 'pki')
  mkdirSync(pki, { recursive: true, mode: 0o700 })
  const serverCertificateManager = new library.OPCUACertificateManager({
    rootFolder: pki,
    automaticallyAcceptUnknownCertificate: true,
    disableFileWatchers: true,
  })
  await serverCertificateManager.initialize()
  return {
    host,
    hostname: host,
    port,
    serverCertificateManager,
    userCertificateManager: serverCertificateManager,
    securityModes: [library.MessageSecurityMode.SignAndEncrypt],
    securityPolicies: [library.SecurityPolicy.Basic256Sha256],
    allowAnonymous: true,
    maxConnectionsPerEndpoint: 20,
    nodesets: [library.nodesets.standard],
    serverCapabilities: { minSupportedSampleRate: COALESCED_MS },
    serverInfo: { applicationUri: 'urn:andon:simulator', productUri: 'urn:andon:simulator' },
    buildInfo: { productName: 'Andon simulated device', manufacturerName: 'Andon' },
  }
}

interface Served {
  readonly nodes: ReadonlyMap<string, ServedNode>
  readonly conditions: ReadonlyMap<string, UAAlarmCondition>
}

/** Nodes by `device/tag`, conditions by `device/alarm`. */
function buildAddressSpace(server: OPCUAServer, options: OpcuaServerOptions, library: Library): Served {
  const nodes = new Map<string, ServedNode>()
  const conditions = new Map<string, UAAlarmCondition>()
  const space = server.engine.addressSpace
  if (!space) throw new Error('the OPC UA server has no address space')
  if (options.hasConditions) space.installAlarmsAndConditionsService()
  for (const { device, profile } of options.devices) {
    const folder = addFolder(space, device, options)
    const own = new Map(profile.tags.map((tag) => [tag.tag, addNode({ space, folder, device, tag }, options, library)]))
    for (const [tag, node] of own) nodes.set(`${device}/${tag}`, node)
    const alarms = options.hasConditions ? (profile.alarms ?? []) : []
    const made = addConditions({ space, folder, alarms, node: (tag) => own.get(tag) })
    for (const [alarm, condition] of made) conditions.set(`${device}/${alarm}`, condition)
  }
  return { nodes, conditions }
}

interface NewNode {
  readonly space: AddressSpace
  readonly folder: UAObject
  readonly device: string
  readonly tag: ProfileTag
}

function addNode({ space, folder, device, tag }: NewNode, options: OpcuaServerOptions, library: Library): ServedNode {
  const { uri, id } = parseNodeId(tag.address)
  const namespace = space.registerNamespace(uri)
  const write = (value: Scalar) => options.onWrite(device, tag.tag, value)
  const node = { device, tag, variable: addVariable({ namespace, folder, tag, id, write }, library) }
  if (options.hasHistory) keepHistory(space, node)
  return node
}

function addFolder(space: AddressSpace, device: string, { hasConditions }: OpcuaServerOptions): UAObject {
  const { objects } = space.rootFolder
  const events = hasConditions ? { eventNotifier: 1, notifierOf: objects.server } : {}
  const about = { organizedBy: objects, browseName: device, nodeId: `s=${device}` }
  return space.getOwnNamespace().addObject({ ...about, ...events })
}

/** Splits `nsu=urn:maker:device;s=Temperature`. Throws for other notations: a simulator must know its namespace. */
export function parseNodeId(address: string): { readonly uri: string; readonly id: string } {
  const match = /^nsu=([^;]+);([isgb]=.+)$/.exec(address)
  if (!match)
    throw new Error(`'${address}': a simulated OPC UA device needs addresses like nsu=urn:maker:device;s=Name`)
  return { uri: match[1] ?? '', id: match[2] ?? '' }
}

const DATA_TYPES = {
  bit: 'Boolean',
  int16: 'Int16',
  uint16: 'UInt16',
  int32: 'Int32',
  uint32: 'UInt32',
  int64: 'Int64',
  uint64: 'UInt64',
  float16: 'Float',
  float32: 'Float',
  float64: 'Double',
  bcd16: 'UInt16',
  bcd32: 'UInt32',
  string: 'String',
} as const satisfies Readonly<Record<ProfileTag['type'], string>>

interface NewVariable {
  readonly namespace: Namespace
  readonly folder: UAObject
  readonly tag: ProfileTag
  readonly id: string
  write(value: Scalar): void
}

function addVariable({ namespace, folder, tag, id, write }: NewVariable, { DataType }: Library): UAVariable {
  const isWritable = tag.writable === true
  const variable = namespace.addVariable({
    componentOf: folder,
    nodeId: id,
    browseName: id.slice(2),
    displayName: tag.name.en,
    dataType: DataType[DATA_TYPES[tag.type]],
    minimumSamplingInterval: 0,
    accessLevel: isWritable ? 'CurrentRead | CurrentWrite' : 'CurrentRead',
    userAccessLevel: isWritable ? 'CurrentRead | CurrentWrite' : 'CurrentRead',
  })
  if (isWritable) {
    variable.on('value_changed', (dataValue) => {
      const value = dataValue.value.value
      if (typeof value === 'number' || typeof value === 'boolean') write(value)
    })
  }
  return variable
}

function variantOf(tag: ProfileTag, raw: Scalar, { DataType, VariantArrayType }: Library) {
  const dataType = DataType[DATA_TYPES[tag.type]]
  if (raw === null) return { dataType: DataType.Null }
  return { dataType, arrayType: VariantArrayType.Scalar, value: typeof raw === 'bigint' ? splitWords(raw) : raw }
}

/** node-opcua holds 64-bit integers as two halves, the high one first. */
function splitWords(value: bigint): [number, number] {
  const bits = BigInt.asUintN(64, value)
  return [Number(bits >> 32n), Number(bits & 0xffff_ffffn)]
}
