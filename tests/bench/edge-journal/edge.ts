/**
 * An edge without drivers, in a process of its own: appends live scans at a rate and sends them up; told so, it also appends
 * a backlog as fast as it can.
 */
import { openJournal } from '#edge/journal/index.ts'
import type { EdgeModel, TagSample } from '#edge/model.ts'
import { startUplink } from '#edge/uplink/index.ts'
import { silentLog } from '#shared/log/log.ts'
import { typeOf, valueAt } from './plan.ts'

const TAGS = 100
const [directory = '', url = '', rate = '5000'] = process.argv.slice(2)
const clock = { now: () => Date.now(), monotonic: () => performance.now() }
const journal = openJournal({ directory, config: { ballastMb: 1 }, clock, log: silentLog })
const devices = Array.from({ length: Math.max(1, Number(rate) / TAGS) }, (_, i) => {
  const device = `device-${i}`
  const tags = Array.from({ length: TAGS }, (_, k) => {
    const [tag, type] = [`tag-${k}`, typeOf(k)]
    return { id: journal.tagId(device, tag, type), device, tag, type }
  })
  return { device, profile: 'counter', tags }
})
const model: EdgeModel = {
  ...{ group: 'plant', edge: 'line-1', devices },
  ...{ current: () => undefined, isAlive: () => true, onDeviceChange: () => () => undefined },
}
const backlogSamplesPerSecond = Number(rate) * 10
const config = { url, keepAliveSeconds: 10, acknowledgement: 'required', backlogSamplesPerSecond } as const
const timing = { reconnectMinMs: 100, reconnectMaxMs: 200 }
const uplink = startUplink({ config, model, journal, clock, log: silentLog, timing })

const scan = (index: number, at: number): TagSample[] =>
  (devices[index]?.tags ?? []).map(({ id }, tag) => {
    return { tagId: id, sourceAt: at, value: valueAt(index, tag, at), quality: 192 }
  })

let scans = 0
const startedAt = performance.now()
setInterval(() => {
  const due = Math.floor(((performance.now() - startedAt) * devices.length) / 1000)
  for (; scans < due; scans++) journal.append(scan(scans % devices.length, Date.now())).catch(() => process.exit(1))
}, 5)

process.on('disconnect', () => process.exit(0))
process.on('message', async ({ backlog }: { readonly backlog: number }) => {
  let at = Date.now() - 3_600_000
  for (let left = backlog; left > 0; at += 1000) {
    const part = devices.flatMap((_, index) => scan(index, at))
    await journal.append(part, 'backfill')
    left -= part.length
  }
  process.send?.({ depth: journal.status().depth, state: uplink.status().state })
})
