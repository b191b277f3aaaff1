import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { kill } from '#tests/bench/edge-journal.ts'

describe('a journal whose process is killed at 20 random moments', () => {
  const directory = mkdtempSync(join(tmpdir(), 'journal-kills-'))
  afterAll(() => rmSync(directory, { recursive: true }))

  it('holds every sample that another process knows as accepted, once and right', async () => {
    const said: string[] = []
    const { kills, result } = await kill(directory, { seconds: 0, rounds: 20, say: (line) => said.push(line) })
    expect({ kills, ...result, said }).toMatchObject({ kills: 20, lost: 0, duplicated: 0, wrong: 0 })
    expect(result.compared).toBeGreaterThan(10_000)
  })
})
