import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLog } from '#shared/log/log.ts'
import { startAgent } from './agent.ts'
import { hashOf, type KeptConfiguration, openConfiguration } from './kept.ts'
import { unhealthy } from './trial.ts'

let folder: string
let file: string
const OLD = 'version: 1\ngroup: plant\nedge: line-1\nmqtt: { url: "mqtt://127.0.0.1:1" }\ndevices: []\n'
const NEW = `${OLD}# new\n`
const open = () => openConfiguration(file, join(folder, 'edge-data'))
const text = () => readFileSync(file, 'utf8')

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'andon-kept-'))
  file = join(folder, 'edge.yaml')
  writeFileSync(file, OLD)
})
afterEach(() => rmSync(folder, { recursive: true }))

function apply(kept: KeptConfiguration, document = NEW) {
  const next = { version: 7, hash: hashOf(document), signature: 's' }
  kept.apply(document, { next, before: hashOf(text()), alive: [] })
}

/** Starts the agent as after the power came back; a clock that is moved ends a trial. */
async function started() {
  const failures: unknown[] = []
  const agent = await startAgent({
    ...{ file, env: { ANDON_EDGE_PORT: '0' }, log: silentLog, timing: { watchMs: 5 } },
    clock: { now: Date.now, monotonic: () => performance.now() },
    onFailed: (error) => failures.push(error),
  })
  return { agent, failures }
}

describe('a configuration on trial', () => {
  it('is still on trial after a restart, with what to go back to', () => {
    apply(open())
    const kept = open()
    expect([text(), kept.state.trial?.next.version, kept.running(hashOf(NEW)).version]).toEqual([NEW, 7, 7])
    kept.rollBack(5, { reason: 'why', code: 'ended' })
    expect(text()).toBe(OLD)
    expect(open().state).toEqual({
      applied: null,
      trial: null,
      rolledBack: { version: 7, at: 5, reason: 'why', code: 'ended' },
    })
  })

  it('that proved itself is the version that runs, and what it goes back to next time', () => {
    const kept = open()
    apply(kept)
    kept.confirm()
    expect(open().state).toMatchObject({ applied: { version: 7 }, trial: null, rolledBack: null })
    apply(kept, `${NEW}# newer\n`)
    kept.rollBack(5, { reason: 'why', code: 'ended' })
    expect([text(), kept.running(hashOf(text())).version]).toEqual([NEW, 7])
  })

  it('never began when the power went before its document was in place, or somebody changed the file since', () => {
    apply(open())
    writeFileSync(file, OLD)
    expect(open().state.trial).toBeNull()
    expect(open().running(hashOf(OLD)).version).toBeUndefined()
  })

  it('that does not start is taken back at once', async () => {
    apply(open(), 'version: 1\ngroup: plant\n')
    const { agent, failures } = await started()
    expect(text()).toBe(OLD)
    expect(open().state.rolledBack).toMatchObject({ version: 7, reason: expect.stringContaining('edge') })
    await agent.stop()
    expect(failures).toEqual([])
  })

  it('under which the program ended three times is taken back at the fourth start', async () => {
    const kept = open()
    apply(kept)
    for (let i = 0; i < 3; i++) {
      expect(text()).toBe(NEW)
      kept.noteStart()
    }
    const { agent } = await started()
    expect([text(), open().state.rolledBack?.version]).toEqual([OLD, 7])
    await agent.stop()
  })
})

describe('the health of a new configuration', () => {
  const well = { isConnected: true, alive: ['a', 'b'], configured: ['a', 'b', 'new'] }

  it('asks for the cloud and for every device that answered before and is still configured', () => {
    expect(unhealthy(well, ['a', 'b'])).toBeUndefined()
    expect(unhealthy(well, ['a', 'removed'])).toBeUndefined()
    expect(unhealthy({ ...well, alive: ['b'] }, ['a', 'b'])).toMatchObject({
      code: 'silenced',
      params: { devices: 'a' },
    })
    expect(unhealthy({ ...well, isConnected: false }, [])).toMatchObject({ code: 'not-reached' })
  })
})
