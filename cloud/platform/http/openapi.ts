import fastifySwagger from '@fastify/swagger'
import type { RouteOptions } from 'fastify'
import type { Access, HttpApp } from './app.ts'

interface Operation {
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
}

/** Describes every route by its schemas: OpenAPI 3.1 at `/openapi.json`, a plain page at `/docs`. Register before the routes. */
export function describeApi(app: HttpApp, version: string): void {
  app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Andon', version, description: 'Alarms, incidents and the people who answer them' },
      components: {
        securitySchemes: {
          session: { type: 'apiKey', in: 'cookie', name: 'andon-session' },
          bearer: { type: 'http', scheme: 'bearer' },
        },
      },
    },
    transform: ({ schema, url, route }) => ({ schema: { ...schema, ...security(route) } as never, url }),
  })
  const open = { config: { access: 'public' as const }, schema: { hide: true } }
  app.get('/openapi.json', open, () => app.swagger())
  app.get('/docs', open, (_request, reply) => reply.type('text/html; charset=utf-8').send(page(app.swagger())))
}

function security(route: RouteOptions): object {
  const access = route.config?.access as Access | undefined
  if (access === 'public') return { security: [] }
  const told = typeof access === 'object' ? { 'x-andon-action': access.action } : {}
  return { security: [{ session: [] }, { bearer: [] }], ...told }
}

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>

function page(document: {
  readonly info: { readonly title: string; readonly version: string }
  readonly paths?: object
}): string {
  const rows = Object.entries((document.paths ?? {}) as Paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => section(`${method.toUpperCase()} ${path}`, operation)),
  )
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${document.info.title} API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{font:15px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}pre{overflow:auto;background:#8881;padding:1rem}summary{font-family:monospace;padding:.25rem 0;cursor:pointer}</style>
<h1>${document.info.title} API ${document.info.version}</h1><p><a href="/openapi.json">openapi.json</a> (OpenAPI 3.1)</p>
${rows.join('\n')}</html>`
}

function section(title: string, operation: Operation): string {
  const told = operation.summary ?? operation.description ?? ''
  return `<details><summary>${escaped(title)} ${escaped(told)}</summary><pre>${escaped(JSON.stringify(operation, null, 2))}</pre></details>`
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
