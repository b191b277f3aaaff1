/** An edge without drivers: appends counting samples, sends them up and tells each accepted one on stdout, until it is killed. */
import { writeSync } from 'node:fs'
import { openJournal } from '#edge/journal/index.ts'
import type { EdgeModel } from '#edge/model.ts'
import { startUplink } from '#edge/uplink/index.ts'
import { silentLog } from '#shared/log/log.ts'

const [directory = '', url = '', start = '0'] = process.argv.slice(2)
const clock = { now: () => Date.now() }
const config = { commitSpacingMs: 5, segmentMinutes: 0.002, ballastMb: 1 }
const journal = openJournal({ directory, config, clock, log: silentLog })
const names = ['device-0', 'device-1', 'device-2']
const devices = names.map((device) => ({
  device,
  profile: 'counter',
  tags: [{ id: journal.tagId(device, 'counter', 'int64'), device, tag: 'counter', type: 'int64' as const }],
}))
const model: EdgeModel = {
  group: 'plant',
  edge: 'line-1',
  devices,
  current: () => undefined,
  isAlive: () => true,
  onDeviceChange: () => () => undefined,
}
const link = { url, keepAliveSeconds: 10, acknowledgement: 'required', backlogSamplesPerSecond: 50_000 } as const
startUplink({ config: link, model, journal, clock, log: silentLog, timing: { reconnectMinMs: 20, reconnectMaxMs: 50 } })

let counter = BigInt(start)
for (;;) {
  const samples = devices.map(({ tags: [tag] }) => {
    counter += 1n
    return { tagId: tag?.id ?? 0, sourceAt: Date.now(), value: counter, quality: 192 as const }
  })
  await journal.append(samples)
  writeSync(1, `${samples.map(({ value }) => value).join(' ')}\n`)
}
