import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyReply } from 'fastify'
import { DomainError } from '../errors.ts'
import type { HttpApp } from './app.ts'

const YEAR_S = 31_536_000

/**
 * Serves the built console: files with a hash in their name are cached for a year, everything else is asked for again, and
 * every address that is no file answers the console's page, whose router knows it. `dir` may be missing: then it says so.
 */
export function serveConsole(app: HttpApp, dir: string): void {
  if (!existsSync(join(dir, 'index.html'))) {
    tellMissing(app)
    return
  }
  app.register(fastifyStatic, { root: dir, serve: false, preCompressed: true, cacheControl: false })
  app.get('/*', { config: { access: 'public' }, schema: { hide: true } }, (request, reply) => {
    const path = decodeURIComponent(request.url.split('?')[0] ?? '/').slice(1)
    if (path.startsWith('api/')) throw new DomainError('not-found', 'route.unknown', `There is no ${request.url}`)
    return isFile(dir, path) ? sendAsset(reply, path) : sendPage(reply)
  })
}

function isFile(dir: string, path: string): boolean {
  return /\.[a-z0-9]+$/i.test(path) && !path.split('/').includes('..') && existsSync(join(dir, path))
}

function sendAsset(reply: FastifyReply, path: string): FastifyReply {
  const isHashed = path.startsWith('assets/')
  reply.header('cache-control', isHashed ? `public, max-age=${YEAR_S}, immutable` : 'no-cache')
  return reply.sendFile(path)
}

function sendPage(reply: FastifyReply): FastifyReply {
  reply.header('cache-control', 'no-cache')
  return reply.sendFile('index.html')
}

function tellMissing(app: HttpApp): void {
  app.get('/', { config: { access: 'public' }, schema: { hide: true } }, (_request, reply) =>
    reply
      .type('text/plain; charset=utf-8')
      .send('The console is not built. Run: npm run build\nThe API is at /docs.\n'),
  )
}
