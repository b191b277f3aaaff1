import { randomBytes } from 'node:crypto'
import { type Static, Type } from 'typebox'
import { hashGeneratedSecret } from '#cloud/pipeline/index.ts'
import type { Tx } from '#cloud/platform/database/database.ts'
import { defineCommand } from '#cloud/platform/door/command.ts'
import { found } from '#cloud/platform/errors.ts'
import type { HttpApp } from '#cloud/platform/http/app.ts'
import { DeviceCommand, DeviceCommandRequest } from '#shared/contracts/device-command.ts'
import { Device, Edge, EdgeRegistered, EdgeRegistration } from '#shared/contracts/edge.ts'
import { Id, Page, PageQuery } from '#shared/contracts/http.ts'
import { Tag } from '#shared/contracts/tag.ts'
import { type Assets, devicePath } from '../assets/index.ts'
import { wantedVersions } from '../edge-configurations/index.ts'
import { cursorText, encodeCursor, onePage, type SuiteDeps } from '../kernel/index.ts'
import type { DeviceCommands } from './commands.ts'
import { brokerView, deviceView, edgeView, tagView } from './view.ts'

export type EdgeDeps = SuiteDeps & { readonly assets: Assets }

const edgeAccess = { action: 'edge.view', type: 'edge' }
const tagAccess = { action: 'tag.view', type: 'tag' }
const TagQuery = Type.Object({
  ...PageQuery.properties,
  asset: Type.Optional(Id),
  edge: Type.Optional(Type.String()),
  device: Type.Optional(Type.String()),
  q: Type.Optional(Type.String({ maxLength: 200 })),
})
type TagQuery = Static<typeof TagQuery>

/** `GET /api/edges[/:id]`, `POST /api/edges`, `GET /api/devices`. */
export function fleetRoutes(app: HttpApp, { db, door, pipeline, assets, clock }: EdgeDeps): void {
  app.get(
    '/api/edges',
    { config: { access: edgeAccess }, schema: { response: { 200: Page(Edge) } } },
    async ({ actor }) => {
      const wanted = await db.inOrg(actor.org, wantedVersions)
      return onePage((await pipeline.edges(actor.org)).map((edge) => edgeView(edge, wanted.get(edge.id), clock())))
    },
  )
  app.get(
    '/api/edges/:id',
    { config: { access: edgeAccess }, schema: { params: Type.Object({ id: Id }), response: { 200: Edge } } },
    async ({ actor, params }) => {
      const edge = (await pipeline.edges(actor.org)).find((e) => e.id === params.id)
      const wanted = await db.inOrg(actor.org, wantedVersions)
      return edgeView(found(edge, 'edge', params.id), wanted.get(params.id), clock())
    },
  )
  app.post(
    '/api/edges',
    { config: { access: edgeAccess }, schema: { body: EdgeRegistration, response: { 201: EdgeRegistered } } },
    async ({ actor, body, intent }, reply) => {
      await door.execute(registerEdge, actor, body, intent)
      const secret = randomBytes(24).toString('base64url')
      const secretHash = hashGeneratedSecret(secret)
      const edge = await pipeline.registerEdge({ org: actor.org, ...body, secretHash })
      const told = { edge: edgeView(edge, undefined, clock()), username: `${body.group}/${body.edge}`, secret }
      return reply.code(201).send({ ...told, broker: brokerView(pipeline.mqtt) })
    },
  )
  app.get(
    '/api/devices',
    {
      config: { access: edgeAccess },
      schema: { querystring: Type.Object({ edge: Type.Optional(Id) }), response: { 200: Page(Device) } },
    },
    async ({ actor, query }) => {
      const tree = await db.inOrg(actor.org, (tx) => assets.tree(tx))
      const edge = query.edge ? (await pipeline.edges(actor.org)).find((e) => e.id === query.edge) : undefined
      const all = await pipeline.devices(actor.org)
      const own = query.edge ? all.filter((d) => d.group === edge?.group && d.edge === edge?.edge) : all
      return onePage(own.map((d) => deviceView(d, tree.byDevice.get(devicePath(d))?.id ?? null)))
    },
  )
}

const CommandParams = Type.Object({ id: Id, commandId: Id })

/** `POST /api/devices/:id/commands`: 200 when its result is known, 202 while it is not; `GET …/:commandId`. */
export function commandRoutes(app: HttpApp, commands: DeviceCommands): void {
  const response = { 200: DeviceCommand, 202: DeviceCommand }
  app.post(
    '/api/devices/:id/commands',
    {
      config: { access: { action: 'device.command', type: 'device' } },
      schema: { params: Type.Object({ id: Id }), body: DeviceCommandRequest, response },
    },
    async ({ actor, params, body, intent }, reply) => {
      const command = await commands.send(actor, params.id, body.writes, intent)
      return reply.code(command.status === 'pending' ? 202 : 200).send(command)
    },
  )
  app.get(
    '/api/devices/:id/commands/:commandId',
    { config: { access: edgeAccess }, schema: { params: CommandParams, response: { 200: DeviceCommand } } },
    ({ actor, params }) => commands.one(actor, params.id, params.commandId.toLowerCase()),
  )
}

/** Judges and audits the registration; the pipeline writes the edge. */
const registerEdge = defineCommand({
  name: 'edge.register',
  input: EdgeRegistration,
  resource: () => ({ type: 'edge' }),
  run: async (_context, { group, edge }) => ({ group, edge }),
})

/** `GET /api/tags`. */
export function tagRoutes(app: HttpApp, deps: EdgeDeps): void {
  app.get(
    '/api/tags',
    { config: { access: tagAccess }, schema: { querystring: TagQuery, response: { 200: Page(Tag) } } },
    async ({ actor, query }) => {
      const devices = query.asset
        ? await deps.db.inOrg(actor.org, (tx) => devicesBelow(deps, tx, query.asset ?? ''))
        : undefined
      return listTags(deps, actor.org, { ...query, devices })
    },
  )
}

async function devicesBelow({ assets }: EdgeDeps, tx: Tx, assetId: string): Promise<ReadonlySet<string>> {
  const tree = await assets.tree(tx)
  const below = new Set(tree.below(assetId).map((row) => row.id))
  return new Set([...tree.byDevice].filter(([, row]) => below.has(row.id)).map(([path]) => path))
}

type TagFilter = TagQuery & { readonly devices: ReadonlySet<string> | undefined }

/** Tags by path. */
async function listTags({ pipeline }: EdgeDeps, org: string, { cursor, ...filter }: TagFilter) {
  const after = cursor ? cursorText(cursor) : undefined
  const { items, hasMore } = await pipeline.tags({ org, after, ...filter })
  const last = items.at(-1)
  return { items: items.map(tagView), nextCursor: hasMore && last ? encodeCursor([last.path]) : null }
}
