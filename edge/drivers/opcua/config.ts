import { type Static, Type } from 'typebox'
import { ServiceUrl } from '#shared/contracts/address.ts'
import { SERVERS } from './server-profile.ts'

const closed = { additionalProperties: false } as const

/** How one OPC UA server is reached: the `opcua:` part of a device in edge.yaml. */
export const OpcuaConfig = Type.Object(
  {
    url: ServiceUrl(['opc.tcp'], 'Endpoint, opc.tcp:// with host and port (4840).'),
    security: Type.Union([Type.Literal('Basic256Sha256'), Type.Literal('None')], {
      default: 'Basic256Sha256',
      description: 'Signed and encrypted, or not at all. Never lowered by itself.',
    }),
    trust: Type.Union([Type.Literal('listed'), Type.Literal('accept-first')], {
      default: 'listed',
      description:
        "listed: the server's certificate must lie in <data>/opcua/trusted; an unknown one is put into pending. accept-first: the first certificate seen is trusted from then on.",
    }),
    username: Type.Optional(Type.String({ minLength: 1, description: 'User of the server; anonymous when absent.' })),
    password: Type.Optional(
      Type.String({
        minLength: 1,
        secret: true,
        description: 'Its password; best as a reference to an environment variable, written as for mqtt.password.',
      }),
    ),
    alarms: Type.Enum(['none', 'server'], {
      default: 'none',
      description: "server: the server's own alarms and conditions are reported as alarm events.",
    }),
    publishingMs: Type.Integer({
      minimum: 20,
      maximum: 60_000,
      default: 100,
      description:
        'How often the server sends what has changed at most, in ms; tags sampled more slowly are sent at half their period, up to 1 s.',
    }),
    server: Type.Enum(SERVERS, {
      default: 'unknown',
      description:
        'Kind of server, for its limits: s7-1200 takes 100 items a request and 1,000 in all, without deadband; s7-1500 500 and 10,000; kepware 1,000 a request; ignition 100; unknown 50.',
    }),
    batch: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000,
        description: 'Monitored items created in one request; else what suits the server.',
      }),
    ),
    timeoutMs: Type.Integer({
      minimum: 500,
      maximum: 120_000,
      default: 10_000,
      description: 'How long connecting or one request may take, in ms.',
    }),
  },
  closed,
)
export type OpcuaConfig = Static<typeof OpcuaConfig>

/**
 * The environment of the OPC UA process. Its code, once compiled, is kept in `compiledDir`: the library's 700 modules load
 * sooner, and without the compiler of TypeScript. One heap of the C library suffices: with one a thread, what loading leaves
 * free stays with the process.
 */
export function workerEnvironment(compiledDir: string): NodeJS.ProcessEnv {
  return { NODE_COMPILE_CACHE: compiledDir, MALLOC_ARENA_MAX: '1', ...process.env }
}
