/** An OPC UA server for load, in a process of its own: every float changes each period, with the period's beginning as its time. */
import { join } from 'node:path'
import {
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAServer,
  SecurityPolicy,
  StatusCodes,
  setWarningLogger,
  type UAVariable,
  Variant,
} from 'node-opcua'
import { tagName, valueAt } from '../edge-modbus/plan.ts'
import { NAMESPACE, type ToSimulator } from './plan.ts'

setWarningLogger(() => undefined)
process.on('disconnect', () => process.exit(0))
process.once('message', (message: ToSimulator) => void start(message))

async function start({ dir, tags, periodMs }: ToSimulator): Promise<void> {
  const serverCertificateManager = new OPCUACertificateManager({
    rootFolder: join(dir, 'simulator-pki'),
    automaticallyAcceptUnknownCertificate: true,
    disableFileWatchers: true,
  })
  await serverCertificateManager.initialize()
  const server = new OPCUAServer({
    port: 0,
    hostname: '127.0.0.1',
    serverCertificateManager,
    securityModes: [MessageSecurityMode.SignAndEncrypt],
    securityPolicies: [SecurityPolicy.Basic256Sha256],
  })
  await server.initialize()
  const nodes = addNodes(server, tags)
  const refresh = () => {
    fill(nodes, periodMs)
    setTimeout(refresh, periodMs - (Date.now() % periodMs))
  }
  refresh()
  await server.start()
  process.send?.({ url: `opc.tcp://127.0.0.1:${server.endpoints[0]?.port}` })
}

function addNodes(server: OPCUAServer, tags: number): UAVariable[] {
  const space = server.engine.addressSpace
  if (!space) throw new Error('The server has no address space')
  const namespace = space.registerNamespace(NAMESPACE)
  const folder = namespace.addFolder(space.rootFolder.objects, { browseName: 'Load' })
  return Array.from({ length: tags }, (_, tag) =>
    namespace.addVariable({
      browseName: tagName(tag),
      nodeId: `s=${tagName(tag)}`,
      componentOf: folder,
      dataType: DataType.Float,
    }),
  )
}

function fill(nodes: readonly UAVariable[], periodMs: number): void {
  const period = Math.floor(Date.now() / periodMs)
  const at = new Date(period * periodMs)
  nodes.forEach((node, tag) => {
    node.setValueFromSource(
      new Variant({ dataType: DataType.Float, value: valueAt(tag, period) }),
      StatusCodes.Good,
      at,
    )
  })
}
