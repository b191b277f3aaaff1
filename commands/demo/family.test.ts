import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { earlierPartsEnded, keepFamily } from './family.ts'

const dir = mkdtempSync(join(tmpdir(), 'andon-family-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** A process that ends when it is told to. */
async function someProcess() {
  const script = join(dir, 'part.js')
  writeFileSync(script, "process.on('message', () => process.exit(0)); process.send('up')")
  const child = fork(script, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  await once(child, 'message')
  const exited = once(child, 'exit')
  return { pid: child.pid ?? 0, end: () => child.send('end'), exited }
}

describe('a start of the demo after its supervisor was killed', () => {
  it('waits until the parts of the killed one have ended', async () => {
    const [demo, part] = [await someProcess(), await someProcess()]
    demo.end()
    await demo.exited
    const file = join(dir, 'killed.json')
    writeFileSync(file, JSON.stringify({ demo: demo.pid, parts: { cloud: part.pid } }))
    let isOver = false
    part.exited.then(() => {
      isOver = true
    })
    await earlierPartsEnded(file, part.end)
    await part.exited
    expect(isOver).toBe(true)
    await earlierPartsEnded(file, () => expect.unreachable('nothing is left to wait for'))
  })

  it('does not wait for a demo that still runs', async () => {
    const file = join(dir, 'running.json')
    keepFamily(file)('cloud', process.pid)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ demo: process.pid, parts: { cloud: process.pid } })
    await earlierPartsEnded(file, () => expect.unreachable('it waited'))
  })

  it('does not mind a note that a kill cut off', async () => {
    const file = join(dir, 'cut.json')
    writeFileSync(file, '{"demo":')
    await earlierPartsEnded(file, () => expect.unreachable('it waited'))
  })
})
