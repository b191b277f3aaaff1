import { Type } from 'typebox'
import type { EdgeStatus } from '#cloud/pipeline/index.ts'
import { found } from '#cloud/platform/errors.ts'
import type { HttpApp } from '#cloud/platform/http/app.ts'
import {
  ConfigurationChecked,
  ConfigurationDifference,
  ConfigurationDocument,
  ConfigurationFetch,
  ConfigurationFetched,
  ConfigurationPush,
  ConfigurationReport,
  ConfigurationVersion,
  ConfigurationWithDocument,
  fetchStatement,
  NewConfiguration,
  PushRequest,
} from '#shared/contracts/edge-configuration.ts'
import { Id, Page } from '#shared/contracts/http.ts'
import { proveBox } from '../edge-certificates/index.ts'
import { onePage, type SuiteDeps } from '../kernel/index.ts'
import { differenceOf } from './difference.ts'
import { checkDocument, faultsOf, pushVersion, refusalOf } from './push.ts'
import { configurationStore, type PushRow, pushStore, type VersionRow } from './store.ts'
import { saveVersion, takeReported } from './versions.ts'

const view = { access: { action: 'edge.view', type: 'edge' } }
const manage = { access: { action: 'edge.manage', type: 'edge' } }
const EdgeParams = Type.Object({ id: Id })
const VersionParams = Type.Object({ id: Id, version: Type.Integer({ minimum: 1, maximum: 2_000_000_000 }) })

/** What boxes call; each request is signed with the key of its certificate. */
export function boxConfigurationRoutes(app: HttpApp, deps: SuiteDeps): void {
  app.post(
    '/api/edge-configuration-fetches',
    { config: { access: 'public' }, schema: { body: ConfigurationFetch, response: { 200: ConfigurationFetched } } },
    async ({ body }) => {
      const { org, edgeId } = await proveBox(deps, body, fetchStatement(body))
      const row = await deps.db.inOrg(org, (tx) => configurationStore(tx).byHash(edgeId, body.hash))
      return { document: found(row, 'configuration', body.hash).document }
    },
  )
  app.post(
    '/api/edge-configuration-reports',
    {
      config: { access: 'public' },
      schema: { body: ConfigurationReport, response: { 200: Type.Object({ version: Type.Integer() }) } },
    },
    ({ body }) => takeReported(deps, body),
  )
}

/** Versions of an edge: list, one, new, difference, check. */
export function versionRoutes(app: HttpApp, deps: SuiteDeps): void {
  const { db, door } = deps
  app.get(
    '/api/edges/:id/configuration-versions',
    { config: view, schema: { params: EdgeParams, response: { 200: Page(ConfigurationVersion) } } },
    async ({ actor, params }) => onePage(await listVersions(deps, await ownEdge(deps, actor.org, params.id))),
  )
  app.post(
    '/api/edges/:id/configuration-versions',
    {
      config: manage,
      schema: { params: EdgeParams, body: NewConfiguration, response: { 201: ConfigurationWithDocument } },
    },
    async ({ actor, params, body, intent }, reply) => {
      const edge = await ownEdge(deps, actor.org, params.id)
      const input = { edgeId: edge.id, ...body, source: 'person' as const }
      const { version } = await door.execute(saveVersion, actor, input, intent)
      return reply.code(201).send(await oneVersion(deps, edge, version))
    },
  )
  app.get(
    '/api/edges/:id/configuration-versions/:version',
    { config: manage, schema: { params: VersionParams, response: { 200: ConfigurationWithDocument } } },
    async ({ actor, params }) => oneVersion(deps, await ownEdge(deps, actor.org, params.id), params.version),
  )
  app.get(
    '/api/edges/:id/configuration-versions/:version/differences/:from',
    {
      config: manage,
      schema: {
        params: Type.Object({ ...VersionParams.properties, from: VersionParams.properties.version }),
        response: { 200: ConfigurationDifference },
      },
    },
    async ({ actor, params: { id, version, from } }) => {
      const edge = await ownEdge(deps, actor.org, id)
      const texts = await db.inOrg(actor.org, (tx) => {
        const store = configurationStore(tx)
        return Promise.all([from, version].map((v) => store.one(edge.id, v)))
      })
      const [a, b] = texts.map((row, i) => found(row, 'configuration', String(i === 0 ? from : version)).document)
      return { from, to: version, lines: differenceOf(a ?? '', b ?? '') }
    },
  )
  app.post(
    '/api/edges/:id/configuration-checks',
    {
      config: manage,
      schema: { params: EdgeParams, body: ConfigurationDocument, response: { 200: ConfigurationChecked } },
    },
    async ({ actor, params, body }) => {
      const edge = await ownEdge(deps, actor.org, params.id)
      return { faults: await checkDocument(deps, edge, body.document) }
    },
  )
}

/** Sending versions down; going back is sending an older one. */
export function pushRoutes(app: HttpApp, deps: SuiteDeps): void {
  app.post(
    '/api/edges/:id/configuration-versions/:version/pushes',
    { config: manage, schema: { params: VersionParams, body: PushRequest, response: { 200: ConfigurationPush } } },
    async ({ actor, params, body, intent }) => {
      const edge = await ownEdge(deps, actor.org, params.id)
      const id = await pushVersion(deps, { actor, edge, intent }, { version: params.version, ...body })
      const rows = await deps.db.inOrg(actor.org, (tx) => pushStore(tx).of(edge.id))
      return pushView(
        found(
          rows.find((row) => row.id === id),
          'push',
          id,
        ),
      )
    },
  )
  app.get(
    '/api/edges/:id/configuration-pushes',
    { config: view, schema: { params: EdgeParams, response: { 200: Page(ConfigurationPush) } } },
    async ({ actor, params }) => {
      const edge = await ownEdge(deps, actor.org, params.id)
      return onePage((await deps.db.inOrg(actor.org, (tx) => pushStore(tx).of(edge.id))).map(pushView))
    },
  )
}

async function ownEdge({ pipeline }: SuiteDeps, org: string, id: string): Promise<EdgeStatus> {
  return found(
    (await pipeline.edges(org)).find((edge) => edge.id === id),
    'edge',
    id,
  )
}

async function listVersions({ db }: SuiteDeps, edge: EdgeStatus): Promise<ConfigurationVersion[]> {
  return db.inOrg(edge.org, async (tx) => {
    const wanted = (await pushStore(tx).wanted()).get(edge.id)?.version
    const rows = await configurationStore(tx).versions(edge.id)
    const running = rows.find(({ hash }) => hash === edge.report?.configuration.hash)?.version
    return rows.map((row) => versionView(row, { running, wanted }))
  })
}

async function oneVersion(deps: SuiteDeps, edge: EdgeStatus, version: number): Promise<ConfigurationWithDocument> {
  const row = await deps.db.inOrg(edge.org, (tx) => configurationStore(tx).one(edge.id, version))
  const { document } = found(row, 'configuration', String(version))
  const listed = (await listVersions(deps, edge)).find((one) => one.version === version)
  return { ...found(listed, 'configuration', String(version)), document }
}

interface Marks {
  readonly running: number | undefined
  readonly wanted: number | undefined
}

const versionView = (row: VersionRow, { running, wanted }: Marks): ConfigurationVersion => ({
  ...{ version: row.version, hash: row.hash, source: row.source, by: row.made_by, reason: row.reason },
  at: row.made_at.toISOString(),
  isRunning: row.version === running,
  isWanted: row.version === wanted,
})

const pushView = (row: PushRow): ConfigurationPush => {
  const faults = faultsOf(row.error)
  const refusal = faults.length > 0 ? { error: `${faults.length} fault(s) in the document` } : refusalOf(row.error)
  return {
    ...{ id: row.id, version: row.version, by: row.pushed_by, reason: row.reason, status: row.status, faults },
    ...refusal,
    at: row.pushed_at.toISOString(),
  }
}
