import { Type } from 'typebox'
import type { OccurrenceStatus } from '#cloud/pipeline/index.ts'
import { found } from '#cloud/platform/errors.ts'
import type { HttpApp } from '#cloud/platform/http/app.ts'
import { Acknowledgement, Alarm, AlarmActionResult, AlarmDetail, Shelving } from '#shared/contracts/alarm.ts'
import { Id, Instant, nullable, Page } from '#shared/contracts/http.ts'
import { Priority } from '#shared/contracts/priority.ts'
import { LocalizedText } from '#shared/contracts/text.ts'
import { onePage } from '../kernel/index.ts'
import { type alarmCommands, outcome } from './act.ts'
import { AlarmQuery, listAlarms } from './list.ts'
import { type AlarmDeps, alarmDetail } from './view.ts'

const Params = Type.Object({ id: Id })
const access = { action: 'alarm.view', type: 'alarm' }
const Value = nullable(Type.Union([Type.Number(), Type.Boolean(), Type.String()]))
const Occurrence = Type.Object({
  id: Id,
  alarmId: Id,
  alarm: Type.String(),
  tagPath: Type.String(),
  priority: Priority,
  openedAt: Instant,
  returnedAt: nullable(Instant),
  closedAt: nullable(Instant),
  value: Value,
  setpoint: nullable(Type.Number()),
  peakValue: nullable(Type.Number()),
  count: Type.Integer(),
  isSuppressed: Type.Boolean(),
  isLate: Type.Boolean(),
  incident: nullable(Type.Object({ id: Id, number: Type.String() })),
})
const Definition = Type.Object({
  profile: Type.String(),
  alarm: Type.String(),
  name: LocalizedText,
  version: Type.Integer(),
  priority: Priority,
  pointCount: Type.Integer(),
  definition: Type.Unknown(),
})

/** `GET /api/alarms[/:id]`, `GET /api/occurrences`, `GET /api/alarm-definitions`. */
export function alarmReadRoutes(app: HttpApp, deps: AlarmDeps): void {
  const { db } = deps
  const detection = () => deps.pipeline.detection
  app.get(
    '/api/alarms',
    { config: { access }, schema: { querystring: AlarmQuery, response: { 200: Page(Alarm) } } },
    ({ actor, query }) => db.inOrg(actor.org, (tx) => listAlarms(deps, tx, actor.org, query)),
  )
  app.get(
    '/api/alarms/:id',
    { config: { access }, schema: { params: Params, response: { 200: AlarmDetail } } },
    async ({ actor, params }) => {
      const point = found(await detection().alarm(actor.org, params.id), 'alarm', params.id)
      return db.inOrg(actor.org, (tx) => alarmDetail(deps, tx, point))
    },
  )
  app.get(
    '/api/occurrences',
    {
      config: { access },
      schema: { querystring: Type.Object({ alarm: Id }), response: { 200: Page(Occurrence) } },
    },
    async ({ actor, query }) => {
      const rows = await detection().occurrences(actor.org, { pointId: query.alarm, limit: 200 })
      const ids = rows.map((row) => row.id)
      const incidents = await db.inOrg(actor.org, (tx) => deps.incidents.ofOccurrences(tx, ids))
      return onePage(rows.map((row) => occurrenceView(row, incidents.get(row.id))))
    },
  )
  app.get(
    '/api/alarm-definitions',
    { config: { access }, schema: { response: { 200: Page(Definition) } } },
    async ({ actor }) => {
      const { items } = await detection().alarms(actor.org, { limit: 500 })
      const groups = Map.groupBy(items, (p) => `${p.profile}/${p.alarm}`)
      return onePage([...groups.values()].flatMap((points) => definitionView(points) ?? []))
    },
  )
}

type Points = Awaited<ReturnType<AlarmDeps['pipeline']['detection']['alarms']>>['items']

function definitionView(points: Points) {
  const point = points[0]
  if (!point) return undefined
  const { profile, alarm, definition, definitionVersion: version } = point
  return {
    profile,
    alarm,
    name: definition.name,
    version,
    priority: definition.priority,
    pointCount: points.length,
    definition,
  }
}

function occurrenceView(row: OccurrenceStatus, incident: { id: string; number: string } | undefined) {
  const at = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
  const { id, alarm, priority, value, setpoint, peakValue, count, isSuppressed, isLate } = row
  return {
    ...{ id, alarm, priority, value, setpoint, peakValue, count, isSuppressed, isLate },
    alarmId: row.pointId,
    tagPath: `${row.group}/${row.edge}/${row.device}/${row.tag}`,
    openedAt: new Date(row.openedAt).toISOString(),
    returnedAt: at(row.returnedAt),
    closedAt: at(row.closedAt),
    incident: incident ? { id: incident.id, number: incident.number } : null,
  }
}

type AlarmCommands = ReturnType<typeof alarmCommands>

/** `POST /api/alarms/:id/acknowledgements|confirmations|resets|shelvings`, `DELETE …/shelvings`: 200 when done, 202 while it waits. */
export function alarmActRoutes(app: HttpApp, { db, door }: AlarmDeps, commands: AlarmCommands): void {
  const response = { 200: AlarmActionResult, 202: AlarmActionResult }
  for (const [noun, command] of [
    ['acknowledgements', commands.acknowledge],
    ['confirmations', commands.confirm],
    ['resets', commands.reset],
  ] as const) {
    app.post(
      `/api/alarms/:id/${noun}`,
      { config: { access }, schema: { params: Params, body: Acknowledgement, response } },
      async ({ actor, params, body, intent }, reply) => {
        const { id } = await door.execute(command, actor, { alarmId: params.id, ...body }, intent)
        const result = await outcome(db, actor, id)
        return reply.code(result.status === 'pending' ? 202 : 200).send(result)
      },
    )
  }
  app.post(
    '/api/alarms/:id/shelvings',
    { config: { access }, schema: { params: Params, body: Shelving, response } },
    async ({ actor, params, body, intent }, reply) => {
      const input = { alarmId: params.id, minutes: body.minutes, comment: body.reason }
      const { id } = await door.execute(body.oneShot ? commands.shelveOnce : commands.shelve, actor, input, intent)
      const result = await outcome(db, actor, id)
      return reply.code(result.status === 'pending' ? 202 : 200).send(result)
    },
  )
  app.delete(
    '/api/alarms/:id/shelvings',
    { config: { access }, schema: { params: Params, response } },
    async ({ actor, params, intent }, reply) => {
      const { id } = await door.execute(commands.unshelve, actor, { alarmId: params.id }, intent)
      const result = await outcome(db, actor, id)
      return reply.code(result.status === 'pending' ? 202 : 200).send(result)
    },
  )
}
