import fastifyCookie from '@fastify/cookie'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyRequest, LogController, type RouteOptions } from 'fastify'
import type { TSchema } from 'typebox'
import type { Log } from '#shared/log/log.ts'
import type { Actor } from '../door/actor.ts'
import type { Door } from '../door/door.ts'
import { BusyError, DomainError } from '../errors.ts'
import { newId } from '../id.ts'
import type { Metrics } from '../metrics/registry.ts'
import type { Access, HttpApp } from './app.ts'
import { securityHeaders } from './headers.ts'
import { intentOf } from './intent.ts'
import { crossSiteRefusal, type OwnOrigins } from './origin.ts'
import { problemOf } from './problem.ts'
import { checkReply, compileValidator } from './validation.ts'

export interface ServerOptions {
  readonly door: Pick<Door, 'authorise'>
  /** Finds who sends a request; undefined for nobody, whatever the reason. */
  readonly identify: (request: FastifyRequest) => Promise<Actor | undefined>
  /** Asked on each changing request: ports are known only once it listens. */
  readonly origins: () => OwnOrigins
  readonly metrics: Metrics
  readonly log: Log
  /** Checks each reply against its schema; for tests. */
  readonly checksReplies?: boolean
}

const CHANGING = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])
const MAX_BODY_BYTES = 1_000_000

/** Makes the HTTP server with its rules: access, origin, validation, problem details, headers. Routes come after. */
export function createServer(options: ServerOptions): HttpApp {
  const app = Fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    genReqId: () => newId(),
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
  }).withTypeProvider<TypeBoxTypeProvider>() as unknown as HttpApp
  app.setValidatorCompiler(compileValidator as never)
  app.setSerializerCompiler(({ schema }) => (reply) => {
    if (options.checksReplies) checkReply(schema as TSchema, reply)
    return JSON.stringify(reply)
  })
  // A form of another site can send plain text without asking; JSON it cannot.
  app.removeContentTypeParser('text/plain')
  app.register(fastifyCookie)
  app.addHook('onRoute', requireAccess)
  decorate(app)
  guard(app, options)
  answerFaults(app, options)
  return app
}

function requireAccess(route: RouteOptions): void {
  if (route.config?.access !== undefined) return
  throw new Error(`The route ${route.method} ${route.url} declares no access: add config: { access } to it`)
}

const ACTOR = Symbol('actor')
type Bearer = FastifyRequest & { [ACTOR]?: Actor | undefined }

function decorate(app: HttpApp): void {
  app.decorateRequest('maybeActor', {
    getter(this: FastifyRequest) {
      return (this as Bearer)[ACTOR]
    },
  } as never)
  app.decorateRequest('actor', {
    getter(this: FastifyRequest) {
      const actor = (this as Bearer)[ACTOR]
      if (!actor) throw new DomainError('unauthenticated', 'session.required', 'Sign in first')
      return actor
    },
  } as never)
  app.decorateRequest('intent', {
    getter(this: FastifyRequest) {
      return intentOf(this.headers)
    },
  } as never)
}

function guard(app: HttpApp, { door, identify, origins, metrics }: ServerOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders(request.protocol === 'https'))
    const { access } = request.routeOptions.config
    if (CHANGING.has(request.method)) {
      const refusal = crossSiteRefusal(request.headers, origins())
      if (refusal) throw new DomainError('forbidden', 'request.cross-site', refusal)
    }
    // The credential of a public route is looked up only where the answer may depend on it.
    const matters = access !== 'public' || request.url.startsWith('/api/')
    if (matters) (request as Bearer)[ACTOR] = await identify(request)
    requireAllowed(request, access, door)
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    metrics.count('http_requests_total', 1, { method: request.method, route, status: String(reply.statusCode) })
  })
}

function requireAllowed(request: FastifyRequest, access: Access | undefined, door: Pick<Door, 'authorise'>): void {
  if (access === undefined || access === 'public') return
  const { actor } = request
  if (access !== 'signed-in') door.authorise(actor, access.action, { type: access.type })
}

function answerFaults(app: HttpApp, { log }: ServerOptions): void {
  app.setNotFoundHandler((request, reply) => {
    const error = new DomainError('not-found', 'route.unknown', `There is no ${request.method} ${request.url}`)
    return reply.code(404).type('application/problem+json').send(problemOf(error, request.id))
  })
  app.setErrorHandler((error, request, reply) => {
    const told = problemOf(error, request.id)
    // Counted by status; a line for each would be most of what a busy server does.
    if (error instanceof BusyError) reply.header('retry-after', error.retryAfterSeconds)
    else if (told.status >= 500) log.error({ err: error, traceId: request.id, url: request.url }, 'A request failed')
    return reply.code(told.status).type('application/problem+json').serializer(JSON.stringify).send(told)
  })
}
