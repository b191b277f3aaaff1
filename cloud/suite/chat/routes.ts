import { Type } from 'typebox'
import type { Tx } from '#cloud/platform/database/database.ts'
import type { Actor } from '#cloud/platform/door/actor.ts'
import { found } from '#cloud/platform/errors.ts'
import type { HttpApp } from '#cloud/platform/http/app.ts'
import { Id, Page, PageQuery } from '#shared/contracts/http.ts'
import { Channel, Message, MessagePost } from '#shared/contracts/message.ts'
import { chip, type Directory } from '../directory/index.ts'
import { cursorNumber, NOBODY, onePage, pageOf, recordType, type SuiteDeps } from '../kernel/index.ts'
import { openThread, postMessage, readChannel } from './commands.ts'
import { messageOf } from './room.ts'
import { chatStore } from './store.ts'
import { channelsView } from './view.ts'

const Params = Type.Object({ id: Id })
const access = { action: 'channel.view', type: 'channel' }

type ChatRouteDeps = SuiteDeps & { readonly directory: Directory }

/** `GET /api/channels[/:id[/messages]]`, `POST /api/messages`, `POST /api/channels/:id/reads`, `POST /api/records/:id/thread`. */
export function chatRoutes(app: HttpApp, deps: ChatRouteDeps): void {
  readRoutes(app, deps)
  writeRoutes(app, deps)
}

function readRoutes(app: HttpApp, deps: ChatRouteDeps): void {
  const { db } = deps
  app.get('/api/channels', { config: { access }, schema: { response: { 200: Page(Channel) } } }, ({ actor }) =>
    db.inOrg(actor.org, async (tx) => {
      const rows = await chatStore(tx).channelsOf(actor.id ?? NOBODY)
      return onePage(await channelsView(tx, deps.directory, rows))
    }),
  )
  app.get(
    '/api/channels/:id',
    { config: { access }, schema: { params: Params, response: { 200: Channel } } },
    ({ actor, params }) =>
      db.inOrg(actor.org, async (tx) => {
        const row = await visibleChannel(deps, tx, actor, params.id)
        const unread = await chatStore(tx).unread(row.id, actor.id ?? NOBODY)
        const [channel] = await channelsView(tx, deps.directory, [{ ...row, unread }])
        return found(channel, 'channel', params.id)
      }),
  )
  app.get(
    '/api/channels/:id/messages',
    { config: { access }, schema: { params: Params, querystring: PageQuery, response: { 200: Page(Message) } } },
    ({ actor, params, query }) =>
      db.inOrg(actor.org, async (tx) => {
        const row = await visibleChannel(deps, tx, actor, params.id)
        return messagesPage(deps, tx, { channelId: row.id, ...query })
      }),
  )
}

function writeRoutes(app: HttpApp, { db, door }: ChatRouteDeps): void {
  app.post(
    '/api/messages',
    { config: { access }, schema: { body: MessagePost, response: { 201: Message } } },
    async ({ actor, body, intent }, reply) =>
      reply.code(201).send(await door.execute(postMessage, actor, body, intent)),
  )
  const Seq = Type.Object({ seq: Type.Integer({ minimum: 0 }) }, { additionalProperties: false })
  app.post(
    '/api/channels/:id/reads',
    { config: { access }, schema: { params: Params, body: Seq, response: { 200: Seq } } },
    ({ actor, params, body, intent }) =>
      door.execute(readChannel, actor, { channelId: params.id, seq: body.seq }, intent),
  )
  app.post(
    '/api/records/:id/thread',
    {
      config: { access },
      schema: { params: Type.Object({ id: Type.String() }), response: { 200: Type.Object({ channelId: Id }) } },
    },
    async ({ actor, params, intent }) => {
      const record = await db.inOrg(actor.org, (tx) => recordType(tx, params.id))
      return door.execute(openThread, actor, { recordId: record.id }, intent)
    },
  )
}

/** The channel, when this person may read it; throws `forbidden` or `not-found`. */
async function visibleChannel({ door }: ChatRouteDeps, tx: Tx, actor: Actor, id: string) {
  const store = chatStore(tx)
  const row = found(await store.channel(id), 'channel', id)
  const isMember = await store.isMember(id, actor.id ?? NOBODY)
  door.authorise(actor, 'channel.read', { type: 'channel', id, kind: row.kind, isMember })
  return row
}

/** Newest page first; items of a page ascend. */
async function messagesPage(
  { directory }: ChatRouteDeps,
  tx: Tx,
  { channelId, cursor, limit = 100 }: { channelId: string; cursor?: string; limit?: number },
) {
  const before = cursor ? cursorNumber(cursor) : 2 ** 31 - 1
  const rows = await chatStore(tx).messagesBefore(channelId, before, limit + 1)
  const page = pageOf(rows, limit, (row) => [row.seq])
  const refs = await directory.refs(
    tx,
    page.items.map((row) => row.author_id),
  )
  const items = page.items.map((row) => messageOf(row, chip(refs, row.author_id))).reverse()
  return { items, nextCursor: page.nextCursor }
}
