import type { Tx } from '#cloud/platform/database/database.ts'
import type { TimelineEntry } from '#shared/contracts/incident.ts'
import type { LocalizedText } from '#shared/contracts/text.ts'
import { textsOf } from '../chat/index.ts'
import { chip, type PersonRefs } from '../directory/index.ts'
import { activityOf, plain, recordRows } from '../kernel/index.ts'
import type { IncidentDeps } from './deps.ts'
import { type FullIncidentRow, incidentStore } from './store.ts'

/** One account of what happened: the alarm log of its occurrences, what was done, what was said; oldest first. */
export async function timelineOf(deps: IncidentDeps, tx: Tx, row: FullIncidentRow): Promise<TimelineEntry[]> {
  const entries = [
    ...(await machineEntries(deps, tx, row)),
    ...(await actEntries(deps, tx, row)),
    ...(await talkEntries(deps, tx, row)),
  ]
  return entries.sort((a, b) => a.at.localeCompare(b.at))
}

async function machineEntries(deps: IncidentDeps, tx: Tx, row: FullIncidentRow): Promise<TimelineEntry[]> {
  const alarms = await incidentStore(tx).alarms([row.id])
  const logs = await Promise.all(
    alarms.map((a) => deps.pipeline.detection.alarmLog(row.org_id, { occurrenceId: a.occurrence_id, limit: 200 })),
  )
  const people = await deps.directory.refs(
    tx,
    logs.flat().map((line) => line.by),
  )
  return logs.flatMap((lines, i) =>
    lines.map((line) => ({
      id: line.id,
      at: new Date(line.eventAt).toISOString(),
      source: 'machine' as const,
      type: `alarm.${line.transition}`,
      actor: chip(people, line.by),
      text: alarms[i]?.name ?? null,
      recordId: null,
      recordNumber: null,
      data: alarmData(line),
    })),
  )
}

type LogLine = Awaited<ReturnType<IncidentDeps['pipeline']['detection']['alarmLog']>>[number]

function alarmData({ pointId, occurrenceId, state, priority, level, value, setpoint, comment, seq }: LogLine) {
  return { alarmId: pointId, occurrenceId, state, priority, level, value, setpoint, comment, seq: String(seq) }
}

async function actEntries(deps: IncidentDeps, tx: Tx, row: FullIncidentRow): Promise<TimelineEntry[]> {
  const ids = [row.id, ...(await deps.links.workOrderIds(tx, row.id))]
  const records = new Map((await recordRows(tx, ids)).map((record) => [record.id, record]))
  const activity = await activityOf(tx, ids)
  const named = (data: Record<string, unknown>) => (typeof data.personId === 'string' ? data.personId : null)
  const people = await deps.directory.refs(
    tx,
    activity.flatMap((a) => [a.actor_id, named(a.data)]),
  )
  return activity.map((a) => ({
    id: a.id,
    at: eventTime(a.data) ?? a.at.toISOString(),
    source: a.actor_id ? 'person' : 'system',
    type: a.type,
    actor: chip(people, a.actor_id),
    text: aboutPerson(people, named(a.data)),
    recordId: a.record_id,
    recordNumber: records.get(a.record_id)?.number ?? null,
    data: { ...a.data },
  }))
}

const eventTime = (data: Record<string, unknown>) => (typeof data.eventAt === 'string' ? data.eventAt : undefined)

/** Whom a page or an assignment was for. */
function aboutPerson(people: PersonRefs, id: string | null): LocalizedText | null {
  const name = chip(people, id)?.name
  return name ? plain(name) : null
}

async function talkEntries(deps: IncidentDeps, tx: Tx, row: FullIncidentRow): Promise<TimelineEntry[]> {
  const messages = await textsOf(tx, row.channel_id)
  const people = await deps.directory.refs(
    tx,
    messages.map((m) => m.author_id),
  )
  return messages.map((m) => ({
    id: m.id,
    at: m.at.toISOString(),
    source: 'person',
    type: 'message.posted',
    actor: chip(people, m.author_id),
    text: plain((m.text ?? '').slice(0, 2000) || '…'),
    recordId: null,
    recordNumber: null,
    data: { seq: m.seq },
  }))
}
