import { withClient } from '#cloud/platform/database/start.ts'
import type { RawHistory } from '#shared/contracts/history.ts'
import { type Client, signIn } from '#tests/support/client.ts'
import type { Called, Logged, Occurred, Stored } from './compare.ts'
import { type DatabaseAccess, PASSWORD } from './world.ts'

/** What an installation holds of alarms and calls. */
export interface Records {
  readonly logged: readonly Logged[]
  readonly occurred: readonly Occurred[]
  readonly called: readonly Called[]
}

const POINT = "p.edge || '/' || p.device || '/' || p.alarm"

const LOGGED = `select l.seq::int, ${POINT} as point, l.occurrence_id as occurrence, l.transition,
  extract(epoch from l.event_at) * 1000 as at
  from alarm_log l join alarm_points p on p.id = l.point_id order by l.seq`
const OCCURRED = `select o.id, ${POINT} as point, o.count, extract(epoch from o.returned_at) * 1000 as "returnedAt"
  from occurrences o join alarm_points p on p.id = o.point_id`
const CALLED = `select r.number as incident, p.edge || '/' || p.device as device,
    (select count(*)::int from pages g where g.record_id = i.id) as pages,
    (select count(*)::int from inbox_items b where b.record_id = i.id and b.page_id is not null) as "inboxItems"
  from incidents i join records r on r.id = i.id
  left join incident_alarms a on a.incident_id = i.id
  left join alarm_points p on p.id = a.alarm_id
  where p.alarm is null or p.alarm = 'machine-fault'`

/** Reads alarm log, occurrences and calls from their tables. */
export function readRecords(database: DatabaseAccess): Promise<Records> {
  return withClient(database, async (client) => {
    const logged = (await client.query(LOGGED)).rows.map((row) => ({ ...row, at: Math.round(Number(row.at)) }))
    const occurred = (await client.query(OCCURRED)).rows.map((row) => ({
      ...row,
      returnedAt: row.returnedAt === null ? null : Math.round(Number(row.returnedAt)),
    }))
    const called = (await client.query(CALLED)).rows.map((row) => ({ ...row, device: row.device ?? 'no machine' }))
    return { logged, occurred, called }
  })
}

/** Reads the stored samples of tags by path. */
export interface TagReader {
  read(path: string): Promise<Stored[]>
  close(): void
}

/** Over the API of the installation; a machine side that comes back may not know the tag at once. */
export async function apiReader(url: string, patienceMs: number): Promise<TagReader> {
  const client = await soon(patienceMs, () => signIn(url, 'admin', PASSWORD))
  return { read: (path) => soon(patienceMs, () => readAll(client, path)), close: () => client.close() }
}

interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly values: readonly number[]
  readonly timestamps: readonly number[]
}

/** From VictoriaMetrics itself, as any program of the plant may read it: each value by its quality, twice what is there twice. */
export async function engineReader(url: string): Promise<TagReader> {
  await fetch(`${url}/internal/force_flush`)
  const read = async (path: string) => {
    const [group, edge, device, tag] = path.split('/')
    const match = encodeURIComponent(`{group="${group}",edge="${edge}",device="${device}",tag="${tag}"}`)
    const text = await (await fetch(`${url}/api/v1/export?match[]=${match}`)).text()
    const all = text.split('\n').filter(Boolean)
    const series = new Map(all.map((line) => JSON.parse(line) as Series).map((one) => [one.metric.__name__, one]))
    const [values, qualities] = [series.get('tag_value'), series.get('tag_quality')]
    const valueAt = new Map(values?.timestamps.map((at, i) => [at, values.values[i] as number]))
    const stored = qualities?.timestamps.map((at, i) => {
      return { at, value: valueAt.get(at) ?? null, quality: qualities.values[i] ?? -1 }
    })
    const times = new Set(qualities?.timestamps)
    const bare = [...valueAt].filter(([at]) => !times.has(at)).map(([at, value]) => ({ at, value, quality: -1 }))
    return [...(stored ?? []), ...bare]
  }
  return { read, close: () => undefined }
}

const AGAIN_MS = 250

async function soon<T>(patienceMs: number, attempt: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + patienceMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > giveUpAt) throw error
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    }
  }
}

async function readAll(client: Client, path: string): Promise<Stored[]> {
  const stored: Stored[] = []
  let cursor: string | null = null
  do {
    const span = { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z', limit: '10000' }
    const query: URLSearchParams = new URLSearchParams({ tag: path, ...span, ...(cursor ? { cursor } : {}) })
    const page: RawHistory = await client.get<RawHistory>(`/api/history/raw?${query}`)
    page.at.forEach((at, i) => {
      const value = page.value[i]
      const quality = page.quality[i] ?? -1
      stored.push({ at, value: value === null || value === undefined ? null : Number(value), quality })
    })
    cursor = page.nextCursor
  } while (cursor)
  return stored
}
