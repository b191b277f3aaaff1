import {
  DataType,
  OPCUACertificateManager,
  OPCUAServer,
  type OPCUAServerOptions,
  type StatusCode,
  StatusCodes,
  setWarningLogger,
  type UAObject,
  type UAVariable,
  Variant,
  VariantArrayType,
} from 'node-opcua'

export const NAMESPACE = 'urn:andon:test:machine'

/** The addresses of the test machine's variables. */
export const TAGS = {
  temperature: `nsu=${NAMESPACE};s=Temperature`,
  count: `nsu=${NAMESPACE};s=Count`,
  on: `nsu=${NAMESPACE};s=On`,
  recipe: `nsu=${NAMESPACE};s=Recipe`,
} as const

export interface TestServerOptions extends Partial<OPCUAServerOptions> {
  /** Where the server's certificate lies or is made. */
  readonly pki: string
}

// What the library says about faults that a test makes on purpose.
setWarningLogger(() => undefined)

/** A real server with one machine. */
export async function startServer({ pki, ...options }: TestServerOptions) {
  const serverCertificateManager = new OPCUACertificateManager({
    rootFolder: pki,
    automaticallyAcceptUnknownCertificate: true,
    disableFileWatchers: true,
  })
  await serverCertificateManager.initialize()
  const server = new OPCUAServer({
    port: 0,
    hostname: '127.0.0.1',
    serverCertificateManager,
    userManager: { isValidUser: (user: string, password: string) => user === 'edge' && password === 'right' },
    ...options,
  })
  await server.initialize()
  const { space, machine, nodes, addNumber } = addMachine(server)
  await server.start()
  const port = Number(new URL(server.getEndpointUrl().replace('opc.tcp:', 'http:')).port)
  const url = `opc.tcp://127.0.0.1:${port}`
  return { server, space, machine, nodes, addNumber, port, url, stop: () => server.shutdown(0) }
}
export type TestServer = Awaited<ReturnType<typeof startServer>>

function addMachine(server: OPCUAServer) {
  const space = server.engine.addressSpace
  if (!space) throw new Error('The server has no address space')
  const namespace = space.registerNamespace(NAMESPACE)
  const machine: UAObject = namespace.addObject({ browseName: 'Machine', organizedBy: space.rootFolder.objects })
  const add = (name: string, dataType: DataType, value: unknown): UAVariable => {
    const variable = namespace.addVariable({
      browseName: name,
      nodeId: `s=${name}`,
      componentOf: machine,
      dataType,
      minimumSamplingInterval: 0,
    })
    variable.setValueFromSource(new Variant({ dataType, arrayType: VariantArrayType.Scalar, value }))
    return variable
  }
  const nodes = {
    temperature: add('Temperature', DataType.Double, 20.5),
    count: add('Count', DataType.UInt64, [1, 2]),
    isOn: add('On', DataType.Boolean, true),
    recipe: add('Recipe', DataType.String, 'A7'),
  }
  const addNumber = (name: string, value: number) => add(name, DataType.Double, value)
  return { space, machine, nodes, addNumber }
}

/** Changes a variable of type Double; `at` is the source time. */
export function setNumber(
  node: UAVariable,
  value: number,
  at = new Date(),
  status: StatusCode = StatusCodes.Good,
): void {
  node.setValueFromSource(new Variant({ dataType: DataType.Double, value }), status, at)
}
