import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { connectBroker } from '#cloud/pipeline/broker/external.ts'
import { silentLog } from '#shared/log/log.ts'
import { mosquittoProgram, startMosquitto } from '#tests/support/mosquitto.ts'
import { conformanceDoc, DOC } from './conformance-doc.ts'
import { HostCapture, type HostEvent } from './host-capture.ts'
import { OTHER_HOST_CLAUSES, TCK_HOST_CLAUSES, WITHOUT_ID } from './host-clause-ids.ts'
import { playHost } from './host-scenario.ts'
import { HOST_CLAUSES, HOST_CLAUSES_ELSEWHERE, type Where } from './host-table.ts'

const PLAY_MS = 120_000

/** Every clause that can be seen there, and its mutant. */
function holds(events: readonly HostEvent[], ...where: readonly Where[]): void {
  const rows = HOST_CLAUSES.filter((clause) => where.includes(clause.where)).map(
    (clause) => [clause.id, clause] as const,
  )
  it.each(rows)('keeps tck-id-%s', (_, { check }) => {
    expect(check(events)).toEqual([])
  })
  it.each(rows)('is caught breaking tck-id-%s', (_, { check, mutant }) => {
    expect(check(mutant([...events]))).not.toEqual([])
  })
}

describe('the host in the process of its broker', () => {
  const events: HostEvent[] = []
  beforeAll(() => playHost(events, {}), PLAY_MS)
  holds(events, 'both', 'embedded')
})

describe.skipIf(!mosquittoProgram())('the host on Debian’s mosquitto', () => {
  const events: HostEvent[] = []
  beforeAll(async () => {
    const server = await startMosquitto()
    const capture = new HostCapture(server.port, events)
    await capture.start()
    const address = { url: `mqtt://127.0.0.1:${capture.port}` }
    const openBroker = () => connectBroker({ address, clock: Date.now, log: silentLog, speaksFor: 'andon' })
    await playHost(events, { capture, openBroker, edgePort: server.port })
    await server.close()
  }, PLAY_MS)
  holds(events, 'both', 'external')
})

describe('the table of clauses that bind a host', () => {
  it('has one row for each, and no other', () => {
    const rows = [...HOST_CLAUSES.map(({ id }) => id), ...Object.keys(HOST_CLAUSES_ELSEWHERE)]
    const clauses = [...Object.values(TCK_HOST_CLAUSES).flat(), ...OTHER_HOST_CLAUSES, WITHOUT_ID]
    expect(rows.sort()).toEqual(clauses.sort())
  })

  it(`is what ${DOC} shows; node tests/conformance/sparkplug/conformance-doc.ts writes it`, () => {
    expect(readFileSync(new URL(`../../../${DOC}`, import.meta.url), 'utf8')).toBe(conformanceDoc())
  })
})
