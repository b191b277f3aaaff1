import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { Actor } from '#cloud/platform/door/actor.ts'
import { defineCommand } from '#cloud/platform/door/command.ts'
import type { HttpApp } from '#cloud/platform/http/app.ts'
import { newId } from '#cloud/platform/id.ts'
import {
  ExportQuestion,
  HistoryAnswer,
  HistoryExport,
  HistoryQuestion,
  LastQuestion,
  LastValues,
  RawHistory,
  RawQuestion,
  Retained,
  RetentionQuestion,
} from '#shared/contracts/history.ts'
import { Id, Page } from '#shared/contracts/http.ts'
import { onePage, type SuiteDeps } from '../kernel/index.ts'
import type { Exports } from './exports.ts'
import { ownTags, type Place, spanOf } from './input.ts'
import { answerHistory, lastValuesOf, rawHistoryOf, retainedOf } from './questions.ts'
import type { Turns } from './turns.ts'

const access = { action: 'tag.view', type: 'tag' }
const sendJson = (reply: FastifyReply, text: string) =>
  // As bytes: a text would be written as JSON once more.
  reply.type('application/json; charset=utf-8').send(Buffer.from(text))
const askerOf = ({ org, id }: Actor) => `${org}/${id}`

/** `GET|POST /api/history`, `GET /api/history/{raw,last,retention}`. */
export function historyRoutes(app: HttpApp, { pipeline }: SuiteDeps, turns: Turns): void {
  const answered = (actor: Actor, place: Place, question: HistoryQuestion) =>
    turns.take(askerOf(actor), () => answerHistory({ org: actor.org, pipeline, place }, question))
  app.get(
    '/api/history',
    { config: { access }, schema: { querystring: HistoryQuestion, response: { 200: HistoryAnswer } } },
    async ({ actor, query }, reply) => sendJson(reply as never, await answered(actor, '/query', query)) as never,
  )
  app.post(
    '/api/history',
    { config: { access }, schema: { body: HistoryQuestion, response: { 200: HistoryAnswer } } },
    async ({ actor, body }, reply) => sendJson(reply as never, await answered(actor, '', body)) as never,
  )
  app.get(
    '/api/history/raw',
    { config: { access }, schema: { querystring: RawQuestion, response: { 200: RawHistory } } },
    ({ actor, query }) =>
      turns.take(askerOf(actor), () => rawHistoryOf({ org: actor.org, pipeline, place: '/query' }, query)),
  )
  app.get(
    '/api/history/last',
    { config: { access }, schema: { querystring: LastQuestion, response: { 200: LastValues } } },
    ({ actor, query }) =>
      turns.take(askerOf(actor), () => lastValuesOf({ org: actor.org, pipeline, place: '/query' }, query)),
  )
  app.get(
    '/api/history/retention',
    { config: { access }, schema: { querystring: RetentionQuestion, response: { 200: Retained } } },
    ({ actor, query }) => retainedOf({ org: actor.org, pipeline, place: '/query' }, query),
  )
}

const ExportId = Type.Object({ id: Id })

/** `GET|POST /api/history/exports`, `GET|DELETE …/:id`, `GET …/:id/file`. */
export function exportRoutes(app: HttpApp, { pipeline, door }: SuiteDeps, exports: Exports): void {
  const one = { params: ExportId, response: { 200: HistoryExport } }
  app.get(
    '/api/history/exports',
    { config: { access }, schema: { response: { 200: Page(HistoryExport) } } },
    async ({ actor }) => onePage(exports.list(actor)),
  )
  app.post(
    '/api/history/exports',
    { config: { access }, schema: { body: ExportQuestion, response: { 201: HistoryExport } } },
    async ({ actor, body, intent }, reply) => {
      spanOf(body, '')
      await ownTags(pipeline, actor.org, body.tags, '/tags')
      const { id } = await door.execute(exportHistory, actor, body, intent)
      return reply.code(201).send(exports.create(id, actor, body))
    },
  )
  app.get('/api/history/exports/:id', { config: { access }, schema: one }, async ({ actor, params }) =>
    exports.one(actor, params.id),
  )
  app.delete('/api/history/exports/:id', { config: { access }, schema: one }, async ({ actor, params }) =>
    exports.cancel(actor, params.id),
  )
  app.get(
    '/api/history/exports/:id/file',
    // A HEAD would use up the one fetch.
    { config: { access }, schema: { params: ExportId }, exposeHeadRoute: false },
    async ({ actor, params }, reply) => {
      const { fileName, format } = exports.one(actor, params.id)
      const bytes = exports.file(actor, params.id)
      return reply
        .type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/vnd.apache.parquet')
        .header('content-disposition', `attachment; filename="${fileName}"`)
        .header('cache-control', 'no-store')
        .send(Readable.from(bytes, { objectMode: false, highWaterMark: 65_536 }))
    },
  )
}

/** Judges and audits that values leave the house; the file itself is made while it is fetched. */
const exportHistory = defineCommand({
  name: 'history.export',
  input: ExportQuestion,
  resource: () => ({ type: 'tag' }),
  run: async () => ({ id: newId() }),
})
