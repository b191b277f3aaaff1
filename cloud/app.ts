import type { AddressInfo } from 'node:net'
import type { Log } from '#shared/log/log.ts'
import type { Rule } from '#shared/policy/policy.ts'
import type { Database } from './platform/database/database.ts'
import { createDoor } from './platform/door/create-door.ts'
import { PLATFORM_RULES } from './platform/door/rules.ts'
import { startHousekeeping } from './platform/housekeeping.ts'
import type { HttpApp } from './platform/http/app.ts'
import { serveConsole } from './platform/http/console.ts'
import { healthRoutes } from './platform/http/health.ts'
import { describeApi } from './platform/http/openapi.ts'
import type { OwnOrigins } from './platform/http/origin.ts'
import { portFault } from './platform/http/port-fault.ts'
import { rootRoute } from './platform/http/root-certificate.ts'
import { type SecureServer, secureServer, type TlsAddress } from './platform/http/secure.ts'
import { createServer } from './platform/http/server.ts'
import { createIdentify } from './platform/identity/identify.ts'
import { passwordLinkRoutes } from './platform/identity/password-link.ts'
import { sessionRoutes } from './platform/identity/routes.ts'
import { createSessions } from './platform/identity/sessions.ts'
import { createJobs, jobHandler, startWorkers } from './platform/jobs/create-jobs.ts'
import type { JobEngine } from './platform/jobs/engine.ts'
import { createMetrics, type Metrics } from './platform/metrics/registry.ts'
import type { Clock, Module, Platform } from './platform/module.ts'
import { type Consumers, startConsumers, takePlaces } from './platform/outbox/consumers.ts'
import { type Relay, readEvents, readFirst, startRelay } from './platform/outbox/relay.ts'
import { createStream, type Stream } from './platform/realtime/stream.ts'
import { createTopicAccess } from './platform/realtime/topics.ts'
import type { ValueSource } from './platform/realtime/values.ts'

export interface AppOptions {
  readonly db: Database
  readonly engine: JobEngine
  readonly clock: Clock
  readonly log: Log
  readonly metrics?: Metrics
  /** Makes the modules on the platform they are given. */
  readonly modules: (platform: Platform) => readonly Module[]
  readonly values: ValueSource
  /** What is wrong with the other parts, for `/readyz`. */
  readonly faults?: () => Promise<readonly string[]>
  /** PEM of the authority that clients must trust; undefined where it is not the installation's own. */
  readonly root?: () => string | undefined
  readonly consoleDir?: string
  readonly publicUrl?: string | undefined
  readonly version?: string
  /** Whether this process does the work of handlers, jobs and housekeeping, and whether others do too; it alone unless told. */
  readonly work?: { readonly isOurs: boolean; readonly isShared: boolean }
  /** Checks each reply against its schema; for tests. */
  readonly checksReplies?: boolean
}

/** The platform with its modules at work. */
export interface App extends Platform {
  readonly http: HttpApp
  readonly relay: Relay
  readonly consumers: Consumers
  /** The one origin of links. */
  publicUrl(): string
  /** Starts to answer. Throws ConfigError naming the setting when the port is taken. */
  listen(address: { readonly host: string; readonly port: number }): Promise<number>
  /** The same with TLS, on a port of its own. Throws ConfigError naming the setting when the port is taken. */
  listenTls(address: TlsAddress): Promise<number>
  /** Stops answering, then working. Safe to call twice. */
  close(): Promise<void>
}

/** Wires platform and modules: rules, routes, handlers, workers, stream. Modules are started before anything reaches them. */
export async function startApp(options: AppOptions): Promise<App> {
  const { db, engine, clock, log, metrics = createMetrics() } = options
  const rules: Rule[] = [...PLATFORM_RULES]
  const door = createDoor({ db, clock, rules })
  const platform: Platform = { db, door, jobs: createJobs(clock), metrics, clock, log }
  const modules = options.modules(platform)
  rules.push(...modules.flatMap((m) => m.rules ?? []))
  const { isOurs, isShared } = options.work ?? { isOurs: true, isShared: false }
  const relay = await startRelay({ db, log, isShared })
  const handlers = [jobHandler(engine), ...modules.flatMap((m) => m.handlers ?? [])]
  // A new handler's place is taken before the modules start, so that it hears what a first start tells.
  await takePlaces(db, handlers, relay.head())
  for (const module of modules) await module.start?.()
  const web = buildWeb({ ...options, platform, modules, relay })
  await web.http.ready()
  const workers = modules.flatMap((m) => m.workers ?? [])
  const consumers = await startConsumers({ db, door, relay, log, handlers: isOurs ? handlers : [] })
  await startWorkers(engine, isOurs ? workers : [], log)
  const keeping = isOurs ? startHousekeeping({ db, clock, log, handlers: handlers.map((h) => h.name) }) : undefined
  let closing: Promise<void> | undefined
  const close = async () => {
    keeping?.stop()
    web.stream.close()
    await web.secure.close()
    await web.http.close()
    await engine.close()
    await consumers.close()
    for (const module of modules) await module.stop?.()
    await relay.close()
  }
  return {
    ...platform,
    http: web.http,
    relay,
    consumers,
    publicUrl: () => web.origins().publicUrl,
    listen: (address) => listen(web, address),
    listenTls: (address) => web.secure.listen(address),
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

interface WebOptions extends Omit<AppOptions, 'modules'> {
  readonly platform: Platform
  readonly modules: readonly Module[]
  readonly relay: Relay
}

interface Web {
  readonly http: HttpApp
  readonly stream: Stream
  readonly origins: () => OwnOrigins
  readonly secure: SecureServer
}

function buildWeb({ platform, modules, relay, ...options }: WebOptions): Web {
  const { db, door, metrics, clock, log } = platform
  const port = () => (http.server.address() as AddressInfo | null)?.port ?? 80
  const publicUrl = () => options.publicUrl ?? `http://localhost:${port()}`
  const ports = () => [port(), ...(secure.port === undefined ? [] : [secure.port])]
  const origins = (): OwnOrigins => ({ publicUrl: publicUrl(), isLoopback: true, ports: ports() })
  const cookieName = () => `andon-session-${port()}`
  const sessions = createSessions({ db, clock })
  const relations = modules.flatMap((m) => (m.relations ? [m.relations.bind(m)] : []))
  const identify = createIdentify({ db, sessions, relations, cookieName })
  const whoIs = async (request: Parameters<typeof identify>[0]) => (await identify(request))?.actor
  const http = createServer({
    door,
    identify: (request) => whoIs(request.raw),
    origins,
    metrics,
    log,
    checksReplies: options.checksReplies ?? false,
  })
  const faults = async () => [...((await options.faults?.()) ?? []), ...modules.flatMap((m) => m.faults?.() ?? [])]
  const person = modules.find((m) => m.person)?.person
  describeApi(http, options.version ?? '0')
  // Routes come after the plugin that describes them has loaded.
  http.register(async (routes) => {
    const app = routes as unknown as HttpApp
    healthRoutes(app, { db, metrics, faults })
    rootRoute(app, options.root ?? (() => undefined))
    sessionRoutes(app, { db, sessions, identify, clock, cookieName, person })
    passwordLinkRoutes(app, { db, clock })
    for (const module of modules) module.routes?.(app)
    if (options.consoleDir) serveConsole(app, options.consoleDir)
  })
  const stream = createStream({
    events: {
      head: relay.head,
      subscribe: relay.subscribe,
      first: () => readFirst(db),
      after: (seq, limit) => relay.recent(seq, limit) ?? readEvents(db, { after: seq, until: relay.head(), limit }),
    },
    values: options.values,
    identify: whoIs,
    mayHear: createTopicAccess({ db, door, guards: modules.flatMap((m) => m.topics ?? []) }),
    origins,
    clock,
    metrics,
    log,
  })
  stream.attach(http.server)
  const secure = secureServer({ serve: (request, reply) => http.routing(request, reply), attach: stream.attach })
  return { http, stream, origins, secure }
}

async function listen({ http }: Web, { host, port }: { host: string; port: number }): Promise<number> {
  try {
    await http.listen({ host, port })
  } catch (error) {
    throw portFault(error, 'ANDON_HTTP_PORT', port)
  }
  return (http.server.address() as AddressInfo).port
}
